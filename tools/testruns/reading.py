"""What a log says: each test by its own line, and all of them by the closing line."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.testruns.outcome import Counts, Outcome


@dataclass(frozen=True)
class Closing:
    """The closing line of a runner.

    Attributes:
        counts: as far as the line gives them; a runner may count a test's parts, too.
        ran: the tests it says were run.
        unexpected: those of the failed ones that only failed by passing.
    """

    counts: Counts
    ran: int
    unexpected: int = 0


@dataclass(frozen=True)
class Reading:
    """A log that was read line by line.

    Attributes:
        outcomes: per test id as the runner prints it.
        counts: each test once; None where the log says nothing of tests.
        closing: None where the run did not come to its end.
    """

    outcomes: Mapping[str, Outcome]
    counts: Counts | None
    closing: Closing | None

    def contradictions(self, exit_code: int | None) -> list[str]:
        """Where the lines and the closing line do not fit together."""
        lines = self.counts or Counts()
        if self.closing is None:
            return ["the exit code is 0 although the log has no end"] if exit_code == 0 else []
        said = self.closing.counts
        if bool(lines.bad) != bool(said.bad) or self.closing.ran > lines.total:
            return [f"test by test the log says {lines}, at its end {said}"]
        return []
