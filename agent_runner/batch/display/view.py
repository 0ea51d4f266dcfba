"""What is told of a batch, to whom: people on stderr, machines on stdout, `run.log`."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import IO, TYPE_CHECKING

from agent_runner.batch.display.header import heartbeat
from agent_runner.batch.display.lines import is_news, line, style, went_wrong
from agent_runner.batch.display.state import BatchState
from agent_runner.batch.events import EpisodeRemark, Event, to_json
from agent_runner.screen.outlet import Outlet
from agent_runner.screen.screen import Screen

if TYPE_CHECKING:
    from agent_runner.screen.live_table import Styled

LEAST_TABLE = 12


class BatchView:
    """Takes every event of a batch.

    Args:
        stream: what people read: a live table with the news above it on a terminal, else a line
            for each of the news, and one that says how far it is after 30 s without.
        events: gets each event as a line of JSON; None for nobody.
        log: gets each event as a line with its time in UTC.
        quiet: people get only what went wrong.
    """

    def __init__(
        self,
        stream: IO[str],
        *,
        events: IO[str] | None = None,
        log: IO[str] | None = None,
        quiet: bool = False,
    ) -> None:
        self.state = BatchState()
        # A table and lines of JSON on one terminal would paint over each other.
        shares_terminal = events is not None and events.isatty()
        self._screen = Screen(stream, is_plain=quiet or shares_terminal)
        self._machine = Outlet(events) if events is not None else None
        self._log = log
        self._quiet = quiet
        self._remarks: set[str] = set()
        self._is_heard = True

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Inside a running event loop: the table is there, and nobody who reads holds us up."""
        with ExitStack() as stack:
            if self._machine is not None:
                stack.enter_context(self._machine)
            stack.enter_context(self._screen.shown(self._paint, self._beat))
            yield

    def tell(self, event: Event) -> None:
        """One event, to everybody it concerns."""
        if self._machine is not None:
            self._machine.write(f"{to_json(event)}\n")
            self._look_after(self._machine)
        text = line(event, self.state)
        self._note(text, event.at)
        is_said = went_wrong(event) if self._quiet else True
        if is_said and is_news(event, self.state) and not self._is_old(event):
            self._screen.line(text, style(event))
        self.state.take(event, time.monotonic())

    def _is_old(self, event: Event) -> bool:
        """A remark is said once, though it be true of every episode."""
        if not isinstance(event, EpisodeRemark):
            return False
        is_old = event.text in self._remarks
        self._remarks.add(event.text)
        return is_old

    def _note(self, text: str, at: datetime) -> None:
        if self._log is not None:
            self._log.write(f"{at:%Y-%m-%dT%H:%M:%SZ} {text}\n")
            self._log.flush()

    def _look_after(self, machine: Outlet) -> None:
        """Results are on disk: that nobody reads the events any more is no reason to stop."""
        if machine.failed is not None and self._is_heard:
            self._is_heard = False
            text = f"nobody reads the events any more: {machine.failed.strerror}"
            self._screen.line(text, "yellow")

    def _paint(self, width: int, height: int) -> "list[Styled]":
        from agent_runner.batch.display.table import table

        # The rest of a screen is for the news that scroll by.
        height = min(height, max(LEAST_TABLE, height * 3 // 4))
        return table(self.state, time.monotonic(), width, height)

    def _beat(self) -> str:
        return "" if self._quiet else heartbeat(self.state, time.monotonic())
