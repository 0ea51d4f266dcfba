"""From a row to what is run, and from what ran to a verdict; no container."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from agent_runner.benchmarks.rows import read, reading_of, recipe
from agent_runner.grading.attempt import Attempt, Grader, Ran, tampered
from agent_runner.grading.canonical import compose_log
from agent_runner.grading.controls import empty_found
from agent_runner.grading.network import OpenNetwork
from agent_runner.grading.recipe import Log, Recipe
from agent_runner.grading.verdict import EMPTY, Verdict
from agent_runner.grading.verdict import judge as judge_in
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


def attempt(
    outcomes: Mapping[str, Outcome] | None, exit_code: int = 0, task: Task = TASK
) -> Attempt:
    """A grading run; None for a patch that did not apply."""
    run = None
    if outcomes is not None:
        run = TestRun(outcomes, Counts.of(outcomes.values()), "log", exit_code, "")
    log = Log(Path("log"), exit_code, timed_out=False, patch_applied=run is not None)
    return Attempt(Ran("c", True, True, log), reading_of(task, run))


@dataclass(frozen=True)
class Canned(Grader):
    """Gives the attempts it was made with, in order, and keeps the patches it was asked about."""

    attempts: list[Attempt] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)
    opened: list[bool] = field(default_factory=list)

    def __init__(self, *attempts: Attempt, open_network: OpenNetwork | None = None) -> None:
        object.__setattr__(self, "attempts", list(attempts))
        object.__setattr__(self, "asked", [])
        object.__setattr__(self, "opened", [])
        object.__setattr__(self, "open_network", open_network)

    async def attempt(
        self, recipe: object, patch: bytes, log: Path, *, network: OpenNetwork | None = None
    ) -> Attempt:
        self.asked.append(patch)
        self.opened.append(network is not None)
        return self.attempts.pop(0)


async def judge(grader: Grader, rules: Recipe, patch: bytes) -> Verdict:
    return await judge_in(grader, rules, patch, Path("nowhere"))


def test_a_row_with_ids_runs_the_files_they_name() -> None:
    made = recipe(TASK)
    assert made.script.tests.startswith("( python -m pytest -rAfEsxXp ")
    assert made.script.tests.endswith(" t.py u.py\n)")
    assert made.protected == ("t.py", "u.py")
    assert (made.fail_to_pass, made.pass_to_pass) == (TASK.FAIL_TO_PASS, TASK.PASS_TO_PASS)
    assert made.has_ids


def test_a_row_without_ids_runs_its_selection() -> None:
    task = Task(task_id="a", repo="r", pytest_k="not slow", test_paths=("a b.py",))
    made = recipe(task)
    assert made.script.tests.endswith(" '-knot slow' 'a b.py'\n)")
    assert made.protected == ("a b.py",)
    assert not made.has_ids


def test_a_rows_own_command_is_run_as_it_is() -> None:
    task = Task(task_id="a", repo="r", test_cmd="./bin/test -x && echo 'done'")
    assert recipe(task).script.tests == "( ./bin/test -x && echo 'done'\n)"


def test_files_of_the_test_patch_are_protected_too() -> None:
    made = recipe(TASK.model_copy(update={"test_patch": TEST_PATCH}))
    assert made.protected == ("t.py", "tests/old.py", "tests/test_new.py", "u.py")
    assert made.test_patch == TEST_PATCH.encode()


def test_a_patch_that_its_owner_brings_keeps_its_tests() -> None:
    assert recipe(TASK, protect=False).protected == ()


def test_a_log_is_read_with_the_rows_ids_in_mind(tmp_path: Path) -> None:
    log = "=== short test summary info ===\nPASSED t.py::f\nFAILED t.py::g - x\n== 1 failed ==\n"
    (tmp_path / "raw").write_text(f"\nstart n 0\n\x1b[1m{log}\nend n\n")
    compose_log(tmp_path / "raw", tmp_path / "made", "n", 1, None)
    reading = read(TASK, Log(tmp_path / "made", 1, timed_out=False, patch_applied=True))
    assert TestList(success=("t.py::f",), failure=("t.py::g",)) == reading.fail_to_pass
    assert TestList(failure=("u.py::p",)) == reading.pass_to_pass
    assert reading.named_failures == {"t.py::g"}
    assert not reading.resolved
    assert reading.report["tests_status"] == {
        "FAIL_TO_PASS": {"success": ["t.py::f"], "failure": ["t.py::g"]},
        "PASS_TO_PASS": {"success": [], "failure": ["u.py::p"]},
    }


def test_a_log_that_is_not_whole_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("\nstart n 0\n== 1 passed ==\n\nend n\n")
    compose_log(tmp_path / "raw", tmp_path / "made", "n", 0, None)
    log = Log(tmp_path / "made", 0, timed_out=False, patch_applied=True, is_whole=False)
    reading = read(Task(task_id="a", repo="r"), log)
    assert not reading.all_passed
    assert "MB" in reading.note


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
    grader = Canned(attempt(GOOD | {"u.py::p": F, "u.py::q": F}, task=task))
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
    task = Task(task_id="a", repo="r")
    grader = Canned(attempt(after, code, task), attempt(before, before_code, task))
    verdict = await judge(grader, recipe(task), b"patch")
    assert grader.asked == [b"patch", EMPTY]
    assert verdict.grade.resolved is resolved
    assert verdict.grade.controls.empty == empty
    assert empty_found(recipe(task), verdict.attempts[1]).empty == empty


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
    found = empty_found(recipe(TASK), attempt(outcomes))
    assert found.hold is holds
    assert bool(found.message) is not holds


def with_ran(made: Attempt, *, network_closed: bool = True, installed: bool = True) -> Attempt:
    ran = replace(made.ran, network_closed=network_closed, installed=installed)
    return replace(made, ran=ran)


INDEX = OpenNetwork({}, b"")


async def test_an_install_line_that_fails_runs_again_with_the_index_and_says_so() -> None:
    closed = with_ran(attempt({}, 1), installed=False)
    opened = with_ran(attempt(GOOD), network_closed=False)
    grader = Canned(closed, opened, open_network=INDEX)
    verdict = await judge(grader, recipe(TASK), b"patch")
    assert grader.opened == [False, True]
    assert (verdict.grade.resolved, verdict.grade.network) == (True, "open")
    assert not verdict.grade.suspect


SETUP = b"--- a/setup.py\n+++ b/setup.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"


@pytest.mark.parametrize(("reference", "suspect"), [("", True), (SETUP.decode(), False)])
async def test_a_patch_that_makes_an_install_line_want_the_index_is_a_hint(
    reference: str, suspect: bool
) -> None:
    grader = Canned(with_ran(attempt(GOOD), network_closed=False))
    rules = recipe(TASK.model_copy(update={"patch": reference}))
    verdict = await judge(grader, rules, SETUP)
    assert [hint.kind for hint in verdict.hints] == ["open_network"] * suspect
    assert verdict.grade.suspect is suspect


@pytest.mark.parametrize(("installed", "index"), [(True, INDEX), (False, None)])
async def test_tests_that_fail_open_no_network(installed: bool, index: OpenNetwork | None) -> None:
    grader = Canned(with_ran(attempt({}, 1), installed=installed), open_network=index)
    verdict = await judge(grader, recipe(TASK), b"patch")
    assert grader.opened == [False]
    assert (verdict.grade.resolved, verdict.grade.network) == (False, "closed")


async def test_a_log_nobody_could_read_is_a_hint() -> None:
    made = attempt(None)
    flooded = replace(made, reading=replace(made.reading, note="too long"))
    verdict = await judge(Canned(flooded), recipe(TASK), b"patch")
    assert verdict.grade.note == "too long"
    assert verdict.grade.suspect
    assert verdict.report_is_error


PROGRAMS = [
    "/opt",
    "/opt/venv/bin",
    "/opt/venv/bin/py.test",
    "/opt/venv/bin/pytest",
    "/opt/venv/bin/pip3.9",
    "/opt/venv/lib/python3.9/site-packages/pytest-6.3.0.dev2+g6e.dist-info/RECORD",
    "/opt/venv/lib/python3.9/site-packages/thing-1.0.dist-info/RECORD",
    "/opt/venv/lib/python3.9/site-packages/_pytest/runner.py",
    "/opt/venv/lib/python3.9/site-packages/_pytest/__pycache__/runner.cpython-39.pyc",
    "/testbed/bin/test",
    "/usr/bin/git",
]


def test_programs_that_are_not_the_projects_own_are_tampered_with() -> None:
    runner, pip, git = "/opt/venv/lib/python3.9/site-packages/_pytest/runner.py", *PROGRAMS[4::6]
    assert tampered(PROGRAMS, "pytest") == (pip, runner, git)
    assert set(PROGRAMS[2:6]) | {runner, git} == set(tampered(PROGRAMS, "thing"))
    assert set(tampered(PROGRAMS, "pip")) == set(tampered(PROGRAMS, "")) - {pip}
