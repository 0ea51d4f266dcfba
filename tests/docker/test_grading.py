"""A verdict in a fresh container, and what does not move it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent_runner.benchmarks.rows import recipe
from agent_runner.grading.attempt import Attempt, Grader, InvalidTask
from agent_runner.grading.canonical import output_of_tests
from agent_runner.grading.controls import empty_found
from agent_runner.grading.recipe import Log, Read, Reading, Recipe
from agent_runner.grading.saved import read_saved, regrade, save
from agent_runner.grading.verdict import Verdict
from agent_runner.grading.verdict import judge as judge_in
from agent_runner.task import Task
from tests.docker.conftest import adding
from tools.workspace.scratch import scratch
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker

HANG = "import time\nwhile True:\n    time.sleep(1)\n"


async def judge(grader: Grader, rules: Recipe, patch: bytes) -> Verdict:
    with scratch() as directory:
        return await judge_in(grader, rules, patch, directory)


async def attempted(grader: Grader, rules: Recipe, patch: bytes) -> Attempt:
    with scratch() as directory:
        return await grader.attempt(rules, patch, directory / "log.txt")


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
    assert verdict.attempt.ran.pristine
    assert "passed" in verdict.attempt.ran.test_output
    assert verdict.report[task.task_id]["resolved"] is True
    assert not verdict.report_is_error


async def test_empty_patch_fails_by_name(grader: Grader, task: Task) -> None:
    rules = recipe(task)
    verdict = await judge(grader, rules, b"")
    assert not verdict.grade.resolved
    assert verdict.grade.FAIL_TO_PASS.failure == task.FAIL_TO_PASS
    assert verdict.grade.PASS_TO_PASS.failure == ()
    assert empty_found(rules, verdict.attempt).empty == "passed"


async def test_containers_are_fresh_each_time(grader: Grader, task: Task, gold: bytes) -> None:
    first = await attempted(grader, recipe(task), gold)
    second = await attempted(grader, recipe(task), b"")
    assert first.ran.container_id != second.ran.container_id
    assert second.ran.pristine
    assert task.FAIL_TO_PASS[0] in second.reading.named_failures


async def test_patch_that_does_not_apply_is_said(grader: Grader, task: Task) -> None:
    bad = b"--- a/spanset/merging.py\n+++ b/spanset/merging.py\n@@ -1 +1 @@\n-nowhere\n+x\n"
    verdict = await judge(grader, recipe(task), bad)
    grade = verdict.grade
    assert verdict.report_is_error
    assert b"patch does not apply" in verdict.attempt.ran.apply_output
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
    assert "tests/test_merging.py::test_merge[nested]" in verdict.attempt.reading.named_failures


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
    attempt = await attempted(grader, recipe(task), adding("conftest.py", call))
    assert attempt.ran.network_closed
    assert "ANSWER 101" in attempt.ran.test_output


class Flaky:
    """Reads the real log, but for one test that fails the given number of times first."""

    def __init__(self, rules: Recipe, name: str, failures: int) -> None:
        self.rules, self.name, self.failures = rules, name, failures
        self.calls = 0

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Read]:
        async with self.rules.reader() as read:
            yield lambda log: self.read(read, log)

    async def read(self, read: Read, log: Log) -> Reading:
        self.calls += 1
        if self.calls <= self.failures:
            text = log.path.read_text()
            log.path.write_text(text.replace(f"PASSED {self.name}", f"FAILED {self.name}"))
        return await read(log)


@pytest.mark.parametrize(("failures", "resolved"), [(1, True), (2, False)])
async def test_lone_failure_of_a_test_that_passed_is_run_again(
    grader: Grader, task: Task, gold: bytes, failures: int, resolved: bool
) -> None:
    rules = recipe(task)
    flaky = Flaky(rules, task.PASS_TO_PASS[0], failures)
    grade = (await judge(grader, replace(rules, reader=flaky.reader), gold)).grade
    assert flaky.calls == 2
    assert (grade.official, grade.resolved) == (False, resolved)
    assert grade.reran == (task.PASS_TO_PASS[0],)


async def test_failure_of_a_test_to_fix_is_not_run_again(
    grader: Grader, task: Task, gold: bytes
) -> None:
    rules = recipe(task)
    flaky = Flaky(rules, task.FAIL_TO_PASS[0], 1)
    grade = (await judge(grader, replace(rules, reader=flaky.reader), gold)).grade
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

    async def judged(row: Task, patch: bytes) -> tuple[bool, str]:
        verdict = await judge(grader, recipe(row), patch)
        return verdict.grade.resolved, verdict.grade.controls.empty

    assert await judged(plain, gold) == (True, "passed")
    assert await judged(plain, b"") == (False, "passed")
    passing = plain.model_copy(update={"pytest_k": "touch"})
    assert await judged(passing, gold) == (False, "failed")


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


async def test_what_is_saved_is_enough_to_grade_again(
    grader: Grader, task: Task, gold: bytes, tmp_path: Path
) -> None:
    verdict = await judge_in(grader, recipe(task), gold, tmp_path)
    save(verdict, tmp_path)
    before = contents(tmp_path)
    again = await regrade(recipe(task), tmp_path, gold)
    assert (again.grade, again.report, again.hints) == (
        verdict.grade, verdict.report, verdict.hints
    )  # fmt: skip
    save(again, tmp_path)
    assert contents(tmp_path) == before
    assert read_saved(tmp_path).grade == verdict.grade
    harder = recipe(task.model_copy(update={"FAIL_TO_PASS": (*task.FAIL_TO_PASS, "no::test")}))
    assert not (await regrade(harder, tmp_path, gold)).grade.resolved
    output = output_of_tests(tmp_path / "test_output.txt", 1_000_000)
    assert output is not None
    assert b"passed" in output


FUZZY = b"""\
diff --git a/spanset/__init__.py b/spanset/__init__.py
--- a/spanset/__init__.py
+++ b/spanset/__init__.py
@@ -1,5 +1,6 @@
 Not what stands there.
\x20
 from spanset.lookup import contains, locate
+NOTHING = None
 from spanset.merging import merge
 from spanset.setops import complement, difference, intersection, union
"""


async def test_a_try_that_left_half_a_patch_is_undone_before_the_next(
    grader: Grader, task: Task, gold: bytes
) -> None:
    """`git apply --reject` leaves the part that fits partly applied; `patch` takes all of it."""
    verdict = await judge(grader, recipe(task), gold + FUZZY)
    assert b"patch --batch" in verdict.attempt.ran.apply_output
    assert (verdict.grade.patch_applied, verdict.grade.resolved) == (True, True)


async def test_a_patch_that_is_applied_already_counts_as_applied(
    grader: Grader, task: Task, gold: bytes
) -> None:
    """The reference the wrong way round: what it would make is there."""
    swap = {b"-": b"+", b"+": b"-"}
    lines = gold.splitlines(keepends=True)
    head = [line for line in lines if line.startswith((b"diff", b"---", b"+++", b"@@"))]
    body = [line for line in lines if line not in head and not line.startswith(b"index")]
    turned = b"".join(head + [swap.get(line[:1], line[:1]) + line[1:] for line in body])
    grade = (await judge(grader, recipe(task), turned)).grade
    assert grade.patch_applied
    assert grade.FAIL_TO_PASS.failure == task.FAIL_TO_PASS
    assert grade.PASS_TO_PASS.failure == ()
