"""What a benchmark's rules come down to: a script, the files it protects, and a way to read it."""

from collections.abc import Callable
from dataclasses import dataclass

from tools.testruns.outcome import TestRun

Read = Callable[[str, int | None], TestRun]


@dataclass(frozen=True)
class Recipe:
    """How one task is graded.

    Attributes:
        protected: test files set back to the base commit first, so that edits never count.
        test_patch: the hidden tests, applied after that; empty for visible ones.
        script: shell lines that run the tests; the exit code of the last one is the run's.
        read: what the script printed and its exit code -> what each test came to.
        fail_to_pass, pass_to_pass: the ids that decide; without any, the exit code does.
    """

    protected: tuple[str, ...]
    test_patch: bytes
    script: str
    read: Read
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]

    @property
    def has_ids(self) -> bool:
        """Whether ids decide."""
        return bool(self.fail_to_pass)
