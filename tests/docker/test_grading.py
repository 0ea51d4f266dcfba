"""A verdict in a fresh container, and what does not move it."""

import time
from dataclasses import replace

import pytest

from agent_runner.benchmarks.rows import recipe
from agent_runner.grading.attempt import Grader, InvalidTask
from agent_runner.grading.recipe import Recipe
from agent_runner.grading.verdict import empty_holds, judge
from agent_runner.task import Task
from tests.docker.conftest import adding
from tools.testruns.outcome import TestRun
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker

HANG = "import time\nwhile True:\n    time.sleep(1)\n"


async def changed(workspace: Workspace, script: str) -> bytes:
    """The patch an agent leaves that runs the script."""
    done = await workspace.shell(f"set -e; {script}", timeout_s=60)
    assert done.ok, done.output
    return await workspace.collect()


async def test_reference_patch_resolves(grader: Grader, task: Task, gold: bytes) -> None:
    verdict = await judge(grader, recipe(task), gold)
    grade = verdict.grade
    assert (grade.resolved, grade.official, grade.patch_applied) == (True, True, True)
    assert grade.FAIL_TO_PASS.success == task.FAIL_TO_PASS
    assert grade.PASS_TO_PASS.success == task.PASS_TO_PASS
    assert (grade.exit_code, grade.network, grade.reran) == (0, "closed", ())
    assert verdict.attempt.pristine
    assert b"passed" in verdict.attempt.log


async def test_empty_patch_fails_by_name(grader: Grader, task: Task) -> None:
    rules = recipe(task)
    verdict = await judge(grader, rules, b"")
    assert not verdict.grade.resolved
    assert verdict.grade.FAIL_TO_PASS.failure == task.FAIL_TO_PASS
    assert verdict.grade.PASS_TO_PASS.failure == ()
    assert empty_holds(rules, verdict.attempt)


async def test_containers_are_fresh_each_time(grader: Grader, task: Task, gold: bytes) -> None:
    first = await grader.attempt(recipe(task), gold)
    second = await grader.attempt(recipe(task), b"")
    assert first.container_id != second.container_id
    assert second.pristine
    assert second.run is not None
    assert second.run.failed(task.FAIL_TO_PASS[0])


async def test_patch_that_does_not_apply_is_said(grader: Grader, task: Task) -> None:
    bad = b"--- a/spanset/merging.py\n+++ b/spanset/merging.py\n@@ -1 +1 @@\n-nowhere\n+x\n"
    grade = (await judge(grader, recipe(task), bad)).grade
    assert (grade.patch_applied, grade.resolved, grade.exit_code) == (False, False, None)
    assert grade.FAIL_TO_PASS.failure == task.FAIL_TO_PASS
    assert grade.PASS_TO_PASS.failure == task.PASS_TO_PASS


@pytest.mark.parametrize(
    "script",
    [
        "sed -i 's/assert/assert True or/' tests/*.py",
        "rm tests/*.py; for n in merging setops; do echo 'x = 1' > tests/test_$n.py; done",
        "rm tests/test_merging.py; mkdir tests/test_merging.py; touch tests/test_merging.py/x",
        "mv tests elsewhere; ln -s elsewhere tests; sed -i 's/assert/assert True or/' tests/*.py",
        "rm tests/test_merging.py; ln -s test_text.py tests/test_merging.py",
        "chmod 000 tests/test_merging.py; rm -r tests; touch tests",
    ],
    ids=["weakened", "replaced", "directory", "linked-directory", "link", "file"],
)
async def test_edits_to_tests_do_not_count(
    grader: Grader, task: Task, workspace: Workspace, script: str
) -> None:
    patch = await changed(workspace, script)
    assert patch
    verdict = await judge(grader, recipe(task), patch)
    assert verdict.grade.FAIL_TO_PASS.failure == task.FAIL_TO_PASS
    assert verdict.attempt.run is not None
    assert verdict.attempt.run.failed("tests/test_merging.py::test_merge[nested]")


async def test_broken_tests_of_a_right_patch_do_not_count_either(
    grader: Grader, task: Task, gold: bytes, workspace: Workspace
) -> None:
    assert (await workspace.run("git", "apply", "-", stdin=gold)).ok
    patch = await changed(workspace, "echo 'assert False' >> tests/test_merging.py")
    assert (await judge(grader, recipe(task), patch)).grade.resolved


async def test_patch_that_never_ends_is_unresolved_in_time(grader: Grader, task: Task) -> None:
    started = time.monotonic()
    quick = replace(grader, timeout_s=3)
    grade = (await judge(quick, recipe(task), adding("conftest.py", HANG))).grade
    assert time.monotonic() - started < 15
    assert (grade.resolved, grade.exit_code, grade.patch_applied) == (False, None, True)
    assert grade.PASS_TO_PASS.failure == task.PASS_TO_PASS


async def test_patch_that_kills_everything_is_unresolved_and_no_fault(
    grader: Grader, task: Task
) -> None:
    deadly = "import os, signal\nos.kill(-1, signal.SIGKILL)\nos.kill(os.getpid(), 9)\n"
    grade = (await judge(grader, recipe(task), adding("conftest.py", deadly))).grade
    assert not grade.resolved
    assert grade.patch_applied


async def test_grading_container_has_no_network(grader: Grader, task: Task) -> None:
    call = (
        "import socket\n"
        "def pytest_report_header():\n"
        "    with socket.socket() as probe:\n"
        "        return f'ANSWER {probe.connect_ex((\"1.1.1.1\", 443))}'\n"
    )
    attempt = await grader.attempt(recipe(task), adding("conftest.py", call))
    assert attempt.network_closed
    assert "ANSWER 101" in attempt.test_output


class Flaky:
    """Reads the real log, but for one test that fails the given number of times first."""

    def __init__(self, rules: Recipe, name: str, failures: int) -> None:
        self.rules, self.name, self.failures = rules, name, failures
        self.calls = 0

    def __call__(self, log: str, exit_code: int | None) -> TestRun:
        self.calls += 1
        if self.calls <= self.failures:
            log = log.replace(f"PASSED {self.name}", f"FAILED {self.name}")
        return self.rules.read(log, exit_code)


@pytest.mark.parametrize(("failures", "resolved"), [(1, True), (2, False)])
async def test_lone_failure_of_a_test_that_passed_is_run_again(
    grader: Grader, task: Task, gold: bytes, failures: int, resolved: bool
) -> None:
    rules = recipe(task)
    flaky = Flaky(rules, task.PASS_TO_PASS[0], failures)
    grade = (await judge(grader, replace(rules, read=flaky), gold)).grade
    assert flaky.calls == 2
    assert (grade.official, grade.resolved) == (False, resolved)
    assert grade.reran == (task.PASS_TO_PASS[0],)


async def test_failure_of_a_test_to_fix_is_not_run_again(
    grader: Grader, task: Task, gold: bytes
) -> None:
    rules = recipe(task)
    flaky = Flaky(rules, task.FAIL_TO_PASS[0], 1)
    grade = (await judge(grader, replace(rules, read=flaky), gold)).grade
    assert flaky.calls == 1
    assert (grade.official, grade.resolved, grade.reran) == (False, False, ())


HIDDEN = adding("tests/test_hidden.py", "def test_hidden():\n    import spanset.fix\n").decode()
FIX = adding("spanset/fix.py", "x = 1\n")


@pytest.fixture
def hidden(task: Task) -> Task:
    """A task whose only failing test comes with its test patch."""
    name = "tests/test_hidden.py::test_hidden"
    changes = {"test_patch": HIDDEN, "FAIL_TO_PASS": (name,), "PASS_TO_PASS": ()}
    return task.model_copy(update=changes)


async def test_hidden_tests_decide(grader: Grader, hidden: Task) -> None:
    assert (await judge(grader, recipe(hidden), FIX)).grade.resolved
    assert not (await judge(grader, recipe(hidden), b"")).grade.resolved


async def test_file_in_the_place_of_a_hidden_test_is_replaced(grader: Grader, hidden: Task) -> None:
    own = adding("tests/test_hidden.py", "def test_hidden():\n    pass\n")
    assert not (await judge(grader, recipe(hidden), own)).grade.resolved
    assert (await judge(grader, recipe(hidden), own + FIX)).grade.resolved


async def test_test_patch_that_does_not_apply_is_an_invalid_task(
    grader: Grader, hidden: Task
) -> None:
    patch = "--- a/setup.py\n+++ b/setup.py\n@@ -1 +1 @@\n-nowhere\n+x\n"
    broken = hidden.model_copy(update={"test_patch": patch})
    with pytest.raises(InvalidTask, match="test_patch does not apply"):
        await judge(grader, recipe(broken), b"")


async def test_row_without_ids_is_judged_by_exit_code_and_base(
    grader: Grader, task: Task, gold: bytes
) -> None:
    plain = task.model_copy(update={"FAIL_TO_PASS": (), "PASS_TO_PASS": ()})
    verdict = await judge(grader, recipe(plain), gold)
    assert (verdict.grade.resolved, verdict.controls_hold) == (True, True)
    verdict = await judge(grader, recipe(plain), b"")
    assert (verdict.grade.resolved, verdict.controls_hold) == (False, True)
    passing = plain.model_copy(update={"pytest_k": "touch"})
    verdict = await judge(grader, recipe(passing), gold)
    assert (verdict.grade.resolved, verdict.controls_hold) == (False, False)
