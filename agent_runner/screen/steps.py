"""Many things side by side, each at some step until it is over."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from agent_runner.screen.figures import clock
from agent_runner.screen.screen import Screen
from agent_runner.text import one_line

if TYPE_CHECKING:
    from agent_runner.screen.live_table import Styled


@dataclass
class StepsView:
    """Follows them: a table of what each is at, and a line for each that is over.

    Attributes:
        total: how many there are.
        log: gets the lines with their time.
    """

    total: int = 0
    stream: IO[str] = field(default_factory=lambda: sys.stderr)
    log: IO[str] | None = None
    _steps: dict[str, str] = field(default_factory=dict, init=False)
    _over: Counter[str] = field(default_factory=Counter, init=False)
    _began_s: float = field(default_factory=time.monotonic, init=False)
    _screen: Screen = field(init=False)

    def __post_init__(self) -> None:
        self._screen = Screen(self.stream)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Inside a running event loop: the table, where there is a terminal."""
        with self._screen.shown(self._paint, self._beat):
            yield

    def step(self, name: str, text: str) -> None:
        """What one is at from now on."""
        self._steps[name] = text

    def over(self, name: str, kind: str, text: str, *, is_news: bool = True) -> None:
        """One is over.

        Args:
            kind: what came of it, counted by.
            is_news: False where a table that counts it is enough.
        """
        self._steps.pop(name, None)
        self._over[kind] += 1
        if is_news or not self._screen.has_table:
            self.tell(f"{self._over.total():>{len(str(self.total))}}/{self.total}  {text}")

    def tell(self, text: str) -> None:
        """One line, for people and the log."""
        self.note(text)
        self._screen.line(text)

    def note(self, text: str) -> None:
        """One line for the log only."""
        if self.log is not None:
            self.log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")
            self.log.flush()

    def _beat(self) -> str:
        """How far all is, and who has been at it longest."""
        first = next((f"; {name}: {one_line(step)}" for name, step in self._steps.items()), "")
        return self._done() + first

    def _done(self) -> str:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(self._over.items()))
        spent = clock(time.monotonic() - self._began_s)
        return f"{self._over.total()} of {self.total} done{': ' if counts else ''}{counts}, {spent}"

    def _paint(self, width: int, height: int) -> "list[Styled]":
        from agent_runner.screen.cells import cells, fit
        from agent_runner.screen.live_table import Styled

        lines = [Styled(fit(self._done(), width).rstrip())]
        rows = [(one_line(name), one_line(step)) for name, step in self._steps.items()]
        room = max(0, height - 1)
        shown = rows if len(rows) <= room else rows[: max(0, room - 1)]
        longest = max((cells(name) for name, _ in shown), default=0)
        for name, step in shown:
            left = fit(name, min(longest, width // 2), keep_end=True)
            lines.append(Styled(fit(f"{left}  {step}", width).rstrip()))
        if len(shown) < len(rows) and room:
            lines.append(Styled(f"and {len(rows) - len(shown)} more", "dim"))
        return lines[:height]
