"""What a person sees while many patches are graded: a live table, or a line for each that ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent_runner.evaluation.directory import Outcome
from agent_runner.observer import Observer
from agent_runner.screen.steps import StepsView


@dataclass
class GradeView(StepsView):
    """Follows a grading of many."""

    def observer(self, instance_id: str) -> Observer:
        """Takes what the work on one instance has to say."""
        return InstanceObserver(view=self, instance_id=instance_id, quiet=True)

    def ended(self, outcome: Outcome) -> None:
        """An instance is done."""
        self.over(outcome.instance_id, outcome.status, line(outcome))


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
