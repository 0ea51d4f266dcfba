"""Lines for a person, with a table below them where there is a terminal to paint on."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from agent_runner.screen.outlet import Outlet

if TYPE_CHECKING:
    from agent_runner.screen.live_table import LiveTable, Paint

REFRESH_S = 0.5
SILENCE_S = 30.0


class Screen:
    """A stream that people read, most often stderr.

    Args:
        is_plain: never a table, though the stream be a terminal.
    """

    def __init__(self, stream: IO[str], *, is_plain: bool = False) -> None:
        self._outlet = Outlet(stream)
        self._is_plain = is_plain
        self._table: LiveTable | None = None
        self._said_s = time.monotonic()

    @property
    def has_table(self) -> bool:
        """Whether it is a terminal that can be painted on."""
        return (
            not self._is_plain
            and self._outlet.isatty()
            and os.environ.get("TERM", "").lower() not in {"", "dumb", "unknown"}
        )

    @contextmanager
    def shown(self, paint: "Paint", beat: Callable[[], str]) -> Iterator[None]:
        """Inside a running event loop: the table, or a line after every half minute of silence.

        Args:
            paint: asked twice a second, where there is a table.
            beat: the line that says how far everything is, where there is none.
        """
        with self._outlet:
            if not self.has_table:
                with _every(SILENCE_S / 30, lambda: self._break_silence(beat)):
                    yield
                return
            from agent_runner.screen.live_table import LiveTable

            self._table = table = LiveTable(self._outlet, paint)
            try:
                with table.shown(), _every(REFRESH_S, self._refresh):
                    yield
            finally:
                self._table = None

    def line(self, text: str, style: str = "") -> None:
        """One line; `style` in the words of rich, for where there is a table."""
        self._said_s = time.monotonic()
        if self._table is None:
            self._outlet.write(f"{text}\n")
        else:
            self._table.line(text, style)

    def _refresh(self) -> None:
        """What the terminal has not taken yet is not painted over."""
        if self._table is not None and not self._outlet.is_behind:
            self._table.refresh()

    def _break_silence(self, beat: Callable[[], str]) -> None:
        if time.monotonic() - self._said_s >= SILENCE_S and (text := beat()):
            self.line(text)


@contextmanager
def _every(period_s: float, do: Callable[[], None]) -> Iterator[None]:
    """Calls `do` from the event loop; should it raise, the loop says so, and that was the last."""
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def tick() -> None:
        nonlocal timer
        do()
        timer = loop.call_later(period_s, tick)

    timer = loop.call_later(period_s, tick)
    try:
        yield
    finally:
        timer.cancel()
