"""From a row to what is run, and from what ran to a verdict; no container."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from agent_runner.benchmarks.rows import recipe
from agent_runner.grading.attempt import Attempt, Grader
from agent_runner.grading.verdict import EMPTY, empty_holds, judge
from agent_runner.result import TestList
from agent_runner.task import Task
from tools.testruns.outcome import Counts, Outcome, TestRun

P, F, S = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED
TEST_PATCH = """\
diff --git a/tests/test_new.py b/tests/test_new.py
new file mode 100644
--- /dev/null
+++ b/tests/test_new.py
@@ -0,0 +1 @@
+x = 1
diff --git a/tests/old.py b/tests/old.py
deleted file mode 100644
--- a/tests/old.py
+++ /dev/null
@@ -1 +0,0 @@
-x = 1
"""
TASK = Task(task_id="a", repo="r", FAIL_TO_PASS=("t.py::f", "t.py::g"), PASS_TO_PASS=("u.py::p",))
GOOD = {"t.py::f": P, "t.py::g": P, "u.py::p": P}


def attempt(outcomes: Mapping[str, Outcome] | None, exit_code: int = 0) -> Attempt:
    """A grading run; None for a patch that did not apply."""
    run = None
    if outcomes is not None:
        run = TestRun(outcomes, Counts.of(outcomes.values()), "log", exit_code, "")
    return Attempt("c", True, True, patch_applied=outcomes is not None, run=run, log=b"")


@dataclass(frozen=True)
class Canned(Grader):
    """Gives the attempts it was made with, in order, and keeps the patches it was asked about."""

    attempts: list[Attempt] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)

    def __init__(self, *attempts: Attempt) -> None:
        object.__setattr__(self, "attempts", list(attempts))
        object.__setattr__(self, "asked", [])

    async def attempt(self, recipe: object, patch: bytes) -> Attempt:
        self.asked.append(patch)
        return self.attempts.pop(0)


def test_a_row_with_ids_runs_the_files_they_name() -> None:
    made = recipe(TASK)
    assert made.script.startswith("python -m pytest -rAfEsxXp ")
    assert made.script.endswith(" t.py u.py")
    assert made.protected == ("t.py", "u.py")
    assert (made.fail_to_pass, made.pass_to_pass) == (TASK.FAIL_TO_PASS, TASK.PASS_TO_PASS)
    assert made.has_ids


def test_a_row_without_ids_runs_its_selection() -> None:
    task = Task(task_id="a", repo="r", pytest_k="not slow", test_paths=("a b.py",))
    made = recipe(task)
    assert made.script.endswith(" '-knot slow' 'a b.py'")
    assert made.protected == ("a b.py",)
    assert not made.has_ids


def test_a_rows_own_command_is_run_as_it_is() -> None:
    task = Task(task_id="a", repo="r", test_cmd="./bin/test -x && echo 'done'")
    assert recipe(task).script == "./bin/test -x && echo 'done'"


def test_files_of_the_test_patch_are_protected_too() -> None:
    made = recipe(TASK.model_copy(update={"test_patch": TEST_PATCH}))
    assert made.protected == ("t.py", "tests/old.py", "tests/test_new.py", "u.py")
    assert made.test_patch == TEST_PATCH.encode()


def test_a_patch_that_its_owner_brings_keeps_its_tests() -> None:
    assert recipe(TASK, protect=False).protected == ()


def test_a_log_is_read_with_the_rows_ids_in_mind() -> None:
    log = "=== short test summary info ===\nPASSED t.py::f\nFAILED t.py::g - x\n== 1 failed ==\n"
    run = recipe(TASK).read(log, 1)
    assert run.passed("t.py::f")
    assert run.failed("t.py::g")
    assert run.outcome("u.py::p") is None
    assert recipe(TASK).read(log, None).exit_code is None


async def test_resolved_is_every_id_passing() -> None:
    verdict = await judge(Canned(attempt(GOOD)), recipe(TASK), b"patch")
    grade = verdict.grade
    assert grade.resolved
    assert grade.official
    assert TestList(success=TASK.FAIL_TO_PASS) == grade.FAIL_TO_PASS
    assert TestList(success=TASK.PASS_TO_PASS) == grade.PASS_TO_PASS
    assert (grade.exit_code, grade.network, grade.reran) == (0, "closed", ())


@pytest.mark.parametrize(
    ("outcomes", "failing"),
    [
        (GOOD | {"t.py::g": F}, ("t.py::g",)),
        (GOOD | {"t.py::g": S}, ("t.py::g",)),
        ({"u.py::p": P}, ("t.py::f", "t.py::g")),
        (None, ("t.py::f", "t.py::g")),
    ],
)
async def test_an_id_that_failed_or_did_not_run_is_no_pass(
    outcomes: Mapping[str, Outcome] | None, failing: tuple[str, ...]
) -> None:
    grader = Canned(attempt(outcomes))
    grade = (await judge(grader, recipe(TASK), b"patch")).grade
    assert not grade.resolved
    assert not grade.official
    assert grade.FAIL_TO_PASS.failure == failing
    assert grade.patch_applied is (outcomes is not None)
    assert len(grader.asked) == 1


@pytest.mark.parametrize("held", [True, False])
async def test_a_lone_pass_to_pass_failure_is_run_once_more(held: bool) -> None:
    again = GOOD | {"u.py::p": P if held else F}
    grader = Canned(attempt(GOOD | {"u.py::p": F}), attempt(again))
    grade = (await judge(grader, recipe(TASK), b"patch")).grade
    assert grader.asked == [b"patch", b"patch"]
    assert grade.resolved is held
    assert not grade.official
    assert grade.reran == ("u.py::p",)
    assert grade.PASS_TO_PASS.failure == ("u.py::p",)


async def test_more_than_one_failure_is_not_run_again() -> None:
    task = TASK.model_copy(update={"PASS_TO_PASS": ("u.py::p", "u.py::q")})
    grader = Canned(attempt(GOOD | {"u.py::p": F, "u.py::q": F}))
    assert not (await judge(grader, recipe(task), b"patch")).grade.resolved
    assert len(grader.asked) == 1


@pytest.mark.parametrize(
    ("after", "code", "before", "before_code", "resolved", "empty"),
    [
        ({"t::a": P}, 0, {"t::a": F}, 1, True, "passed"),
        ({"t::a": P}, 0, {}, 5, True, "passed"),
        ({"t::a": F}, 1, {"t::a": F}, 1, False, "passed"),
        ({"t::a": P}, 1, {"t::a": F}, 1, False, "passed"),
        ({}, 0, {"t::a": F}, 1, False, "passed"),
        ({"t::a": S}, 0, {"t::a": F}, 1, False, "passed"),
        ({"t::a": P}, 0, {"t::a": P}, 0, False, "failed"),
    ],
)
async def test_without_ids_the_tests_must_pass_now_and_not_before(
    after: Mapping[str, Outcome], code: int, before: Mapping[str, Outcome], before_code: int,
    resolved: bool, empty: str,
) -> None:  # fmt: skip
    grader = Canned(attempt(after, code), attempt(before, before_code))
    verdict = await judge(grader, recipe(Task(task_id="a", repo="r")), b"patch")
    assert grader.asked == [b"patch", EMPTY]
    assert verdict.grade.resolved is resolved
    assert verdict.grade.controls.empty == empty
    assert verdict.controls_hold is (empty == "passed")


@pytest.mark.parametrize(
    ("outcomes", "holds"),
    [
        ({"t.py::f": F, "t.py::g": F, "u.py::p": P}, True),
        ({"t.py::f": F, "t.py::g": Outcome.ERROR, "u.py::p": P}, True),
        ({"t.py::f": F, "u.py::p": P}, False),
        ({"t.py::f": F, "t.py::g": P, "u.py::p": P}, False),
        ({"t.py::f": F, "t.py::g": F, "u.py::p": F}, False),
        (None, False),
    ],
)
def test_the_base_must_fail_by_name_and_hold_the_rest(
    outcomes: Mapping[str, Outcome] | None, holds: bool
) -> None:
    assert empty_holds(recipe(TASK), attempt(outcomes)) is holds


async def test_an_open_network_is_told() -> None:
    made = replace(attempt(GOOD), network_closed=False)
    assert (await judge(Canned(made), recipe(TASK), b"")).grade.network == "open"
