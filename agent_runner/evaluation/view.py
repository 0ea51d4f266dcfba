"""What a person sees while many patches are graded: a live table, or a line for each that ends."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from agent_runner.evaluation.directory import Outcome
from agent_runner.observer import Observer

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

SHOWN_STEP = 60


@dataclass
class GradeView:
    """Follows a grading of many.

    Attributes:
        total: how many there are to grade.
        log: `run.log`, which gets every step with its time.
    """

    total: int = 0
    stream: IO[str] = field(default_factory=lambda: sys.stderr)
    log: IO[str] | None = None
    quiet: bool = False
    _steps: dict[str, str] = field(default_factory=dict, init=False)
    _ended: Counter[str] = field(default_factory=Counter, init=False)
    _began_s: float = field(default_factory=time.monotonic, init=False)
    _live: "Live | None" = field(default=None, init=False)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows a live table inside, where there is a terminal."""
        if self.quiet or not self.stream.isatty():
            yield
            return
        from rich.console import Console
        from rich.live import Live

        with Live(
            console=Console(file=self.stream), get_renderable=self._table,
            refresh_per_second=4, transient=True,
        ) as self._live:  # fmt: skip
            yield
        self._live = None

    def observer(self, instance_id: str) -> Observer:
        """Takes what the work on one instance has to say."""
        return InstanceObserver(view=self, instance_id=instance_id, quiet=True)

    def step(self, instance_id: str, text: str) -> None:
        """What is being done for an instance."""
        self._steps[instance_id] = text

    def note(self, text: str) -> None:
        """One line for `run.log` only."""
        if self.log is not None:
            self.log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")
            self.log.flush()

    def ended(self, outcome: Outcome) -> None:
        """An instance is done."""
        self._steps.pop(outcome.instance_id, None)
        self._ended[outcome.status] += 1
        number = f"{self._ended.total():>{len(str(self.total))}}/{self.total}"
        self.tell(f"{number}  {line(outcome)}")

    def tell(self, text: str) -> None:
        """One line."""
        self.note(text)
        if self.quiet:
            return
        if self._live is not None:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            self.stream.write(f"{text}\n")
            self.stream.flush()

    def _table(self) -> "RenderableType":
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        counts = ", ".join(f"{count} {status}" for status, count in sorted(self._ended.items()))
        done = f"{self._ended.total()} of {self.total} done{': ' if counts else ''}{counts}"
        spent_s = time.monotonic() - self._began_s
        table = Table.grid(padding=(0, 2))
        for name, step in sorted(self._steps.items()):
            table.add_row(Text(name), Text(step[:SHOWN_STEP]))
        return Group(Text(f"{done}, {spent_s:.0f} s"), table)


@dataclass
class InstanceObserver(Observer):
    """Hands what one instance's work says to the view of all."""

    view: GradeView = field(kw_only=True)
    instance_id: str = field(kw_only=True)

    def say(self, text: str) -> None:
        """A step of it."""
        self.step(text)

    def complain(self, text: str) -> None:
        """What went wrong on the way stays in the log; the outcome says what came of it."""
        self.note(text)

    def note(self, text: str) -> None:
        """One line for the log of all."""
        self.view.note(f"{self.instance_id}: {text}")

    def show(self, text: str) -> None:
        """What the table says of it."""
        self.view.step(self.instance_id, text)

    @contextmanager
    def waiting(self, what: str, *, lines: bool = True) -> Iterator[None]:
        """A step that takes long."""
        self.step(what)
        yield


def line(outcome: Outcome) -> str:
    """An outcome in one line."""
    spent = "kept" if outcome.source == "kept" else f"{outcome.duration_s:.1f} s"
    marks = [f"reran {len(outcome.grade.reran)}"] if outcome.grade and outcome.grade.reran else []
    marks += ["suspect"] if outcome.grade and outcome.grade.suspect else []
    marked = f" ({', '.join(marks)})" if marks else ""
    reason = f": {outcome.reason}" if outcome.reason else ""
    return f"{outcome.status:<12} {outcome.instance_id}  {spent}{marked}{reason}"
