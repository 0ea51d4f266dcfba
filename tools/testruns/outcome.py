"""What a run of a test suite came to."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from tools.testruns.node_id import look_up


class Outcome(StrEnum):
    """How one test ended, in pytest's own words."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"


# Of several records of one test the first here counts: a failure with a teardown error has failed.
_PRECEDENCE = (
    Outcome.FAILED,
    Outcome.ERROR,
    Outcome.PASSED,
    Outcome.XPASSED,
    Outcome.XFAILED,
    Outcome.SKIPPED,
)
# SWE-bench's grader accepts PASSED and XFAIL; pytest itself does not fail a run for XPASS either.
_PASSING = frozenset({Outcome.PASSED, Outcome.XFAILED, Outcome.XPASSED})
_FAILING = frozenset({Outcome.FAILED, Outcome.ERROR})


def decisive(outcomes: Iterable[Outcome]) -> Outcome:
    """The one outcome that several records of the same test amount to.

    Raises:
        ValueError: there is none.
    """
    return min(outcomes, key=_PRECEDENCE.index)


@dataclass(frozen=True)
class Counts:
    """How many tests ended how; `deselected` ones did not run and are not in `total`."""

    passed: int = 0
    failed: int = 0
    error: int = 0
    skipped: int = 0
    xfailed: int = 0
    xpassed: int = 0
    deselected: int = 0

    @property
    def total(self) -> int:
        """Tests that were run or skipped, and files that could not be collected."""
        return self.passed + self.failed + self.error + self.skipped + self.xfailed + self.xpassed

    @property
    def bad(self) -> int:
        """Failures and errors together."""
        return self.failed + self.error

    @classmethod
    def of(cls, outcomes: Iterable[Outcome], *, deselected: int = 0) -> "Counts":
        """The counts of `outcomes`, each counted once."""
        found = Counter(outcomes)
        return cls(
            passed=found[Outcome.PASSED],
            failed=found[Outcome.FAILED],
            error=found[Outcome.ERROR],
            skipped=found[Outcome.SKIPPED],
            xfailed=found[Outcome.XFAILED],
            xpassed=found[Outcome.XPASSED],
            deselected=deselected,
        )

    def __str__(self) -> str:
        """The counts that are not zero, worst first: `3 failed, 12 passed`."""
        named = [
            (self.failed, "failed"),
            (self.error, "error" if self.error == 1 else "errors"),
            (self.passed, "passed"),
            (self.skipped, "skipped"),
            (self.xfailed, "xfailed"),
            (self.xpassed, "xpassed"),
            (self.deselected, "deselected"),
        ]
        return ", ".join(f"{count} {word}" for count, word in named if count) or "no tests ran"


@dataclass(frozen=True)
class TestRun:
    """One run of a test command and what can be said about it.

    Attributes:
        outcomes: per pytest node id; a file that could not be collected stands under its path.
        counts: each test once. From the report; from the log's own last line where there is none.
        source: where `outcomes` and `counts` come from.
        exit_code: the command's; negative or above 128 for a signal; None where it never ended.
        summary: one line for a model or a person.
        disagreement: where report, log and exit code contradict each other; None where they agree.
    """

    # Without this, pytest tries to collect the class from every test module that imports it.
    __test__: ClassVar[bool] = False

    outcomes: Mapping[str, Outcome]
    counts: Counts
    source: Literal["report", "log"]
    exit_code: int | None
    summary: str
    disagreement: str | None = None

    def outcome(self, test_id: str) -> Outcome | None:
        """How `test_id` ended, None if it did not run; ids cut inside a parameter are found."""
        found = look_up(self.outcomes, test_id)
        return decisive(found) if found else None

    def passed(self, test_id: str) -> bool:
        """Whether the test ran and counts as passed (expected failures included)."""
        return self.outcome(test_id) in _PASSING

    def failed(self, test_id: str) -> bool:
        """Whether the test ran and failed by name; a test that did not run has not failed."""
        return self.outcome(test_id) in _FAILING
