"""What a benchmark's rules come down to: a script, the files it protects, and a way to read it."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from agent_runner.result import TestList

# JSON: the inner part of an official report.
Report = Mapping[str, object]


@dataclass(frozen=True)
class Script:
    """A script in three parts; the tests' exit code is that of the last command of `tests`.

    Attributes:
        shell: the program that runs it.
        traced: whether it runs under `set -x`.
        env: variables of the whole script.
        offline_env: variables of what comes before the tests while the network is closed.
    """

    before: str
    tests: str
    after: str
    shell: str
    traced: bool
    env: Mapping[str, str] = field(default_factory=dict)
    offline_env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Log:
    """The log of a run as it is read: see `canonical.py`.

    Attributes:
        exit_code: the tests'; None where they did not end.
        is_whole: whether none of it was dropped.
    """

    path: Path
    exit_code: int | None
    timed_out: bool
    patch_applied: bool
    is_whole: bool = True


@dataclass(frozen=True)
class Failure:
    """What a log shows of a broken environment, in SWE-bench's words; it decides nothing.

    Attributes:
        tier: `environment`, or `ambiguous` where the patch can be the reason as well.
    """

    reason: str
    tier: str


@dataclass(frozen=True)
class Reading:
    """What a log says by the benchmark's rules.

    Attributes:
        report: in SWE-bench's shape, for one instance.
        named_failures: ids that ran and failed by name.
        all_passed: the exit code is 0, at least one test passed and none failed.
        note: why the log could not be read as it is; "" where it could.
        failure: signs of a broken environment; None where there are none, or nobody looked.
    """

    resolved: bool
    fail_to_pass: TestList
    pass_to_pass: TestList
    report: Report
    named_failures: frozenset[str] = frozenset()
    all_passed: bool = False
    note: str = ""
    failure: Failure | None = None


Read = Callable[[Log], Awaitable[Reading]]
# Made ready beside the container's work, used once, gone with the block.
Reader = Callable[[], AbstractAsyncContextManager[Read]]


@dataclass(frozen=True)
class Recipe:
    """How one task is graded.

    Attributes:
        protected: test files set back to the base commit first, so that edits never count.
        test_patch: the hidden tests, applied after that; empty where the script does so itself.
        reader: reads a log.
        fail_to_pass, pass_to_pass: the ids that decide; without any, the exit code does.
        strict_empty: without a patch every FAIL_TO_PASS must fail by name and the rest hold; else
            it is enough that the task is not resolved.
        rules: names what else determines a verdict, e.g. the parser.
        reference: the task's own patch; empty where it has none.
    """

    instance_id: str
    protected: tuple[str, ...]
    test_patch: bytes
    script: Script
    reader: Reader
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    strict_empty: bool
    rules: str
    reference: bytes = b""

    @property
    def has_ids(self) -> bool:
        """Whether ids decide."""
        return bool(self.fail_to_pass)

    @property
    def key(self) -> str:
        """Of everything that determines a verdict beside patch, image and version."""
        parts = (
            self.instance_id, self.protected, self.test_patch.hex(), self.script.before,
            self.script.tests, self.script.after, self.fail_to_pass, self.pass_to_pass, self.rules,
        )  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
