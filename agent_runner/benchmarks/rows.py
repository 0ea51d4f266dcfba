"""The rules of plain task rows: pytest over the files the ids name, or the row's own command."""

import asyncio
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent_runner.grading.canonical import output_of_tests
from agent_runner.grading.recipe import Log, Read, Reading, Recipe, Script
from agent_runner.result import TestList
from agent_runner.task import Task
from tools.outputs.display import plain
from tools.testruns.outcome import TestRun
from tools.testruns.selection import Selection
from tools.testruns.summarise import combine
from tools.workspace.spec import ENV

PYTEST = (
    "python", "-m", "pytest", "-rAfEsxXp", "-p", "no:pretty", "--color=no", "--verbosity=0",
    "--maxfail=0", "-o", "cache_dir=/tmp/agent_runner-cache",
)  # fmt: skip
# A suite of ten thousand tests prints a few megabytes.
READ_BYTES = 32_000_000
TOO_LONG = f"the tests printed more than {READ_BYTES // 1_000_000} MB, which nobody reads"


def recipe(task: Task, *, protect: bool = True) -> Recipe:
    """How a row is graded.

    Args:
        protect: False for a patch that its owner brings, whose own tests count.
    """

    @asynccontextmanager
    async def reader() -> AsyncIterator[Read]:
        yield lambda log: asyncio.to_thread(read, task, log)

    command = task.test_cmd or shlex.join((*PYTEST, *_selection(task)))
    return Recipe(
        instance_id=task.task_id,
        protected=_protected(task) if protect else (),
        test_patch=task.test_patch.encode(),
        # A subshell: whatever the command does to it, the script goes on.
        script=Script("", f"( {command.rstrip()}\n)", "", "/bin/sh", traced=False, env=ENV),
        reader=reader,
        fail_to_pass=task.FAIL_TO_PASS,
        pass_to_pass=task.PASS_TO_PASS,
        strict_empty=True,
        rules="rows",
        reference=task.patch.encode(),
    )


def read(task: Task, log: Log) -> Reading:
    """What a log says by the ids of a row."""
    run, note = _test_run(task, log)
    return reading_of(task, run, note)


def reading_of(task: Task, run: TestRun | None, note: str = "") -> Reading:
    """What a run says by the ids of a row; a test that did not run has failed.

    A row without ids is judged by its exit code and counts.

    Args:
        run: None where the patch did not apply or nobody could read the log.
    """
    fail_to_pass = _split(task.FAIL_TO_PASS, run)
    pass_to_pass = _split(task.PASS_TO_PASS, run)
    ids = task.FAIL_TO_PASS + task.PASS_TO_PASS
    resolved = bool(ids) and not fail_to_pass.failure and not pass_to_pass.failure
    ran = run is not None and bool(run.outcomes)
    report: dict[str, object] = {
        "patch_is_None": False,
        "patch_exists": True,
        "patch_successfully_applied": run is not None,
        "resolved": resolved,
        "infra_failure": False,
    }
    if ran:
        report["tests_status"] = {
            name: {"success": list(tests.success), "failure": list(tests.failure)}
            for name, tests in (("FAIL_TO_PASS", fail_to_pass), ("PASS_TO_PASS", pass_to_pass))
        }
    return Reading(
        resolved=resolved,
        fail_to_pass=fail_to_pass,
        pass_to_pass=pass_to_pass,
        report=report,
        named_failures=frozenset(name for name in ids if run is not None and run.failed(name)),
        all_passed=run is not None and _all_passed(run),
        note=note,
    )


def _test_run(task: Task, log: Log) -> tuple[TestRun | None, str]:
    if not log.patch_applied:
        return None, ""
    text = output_of_tests(log.path, READ_BYTES)
    if text is None or not log.is_whole:
        return None, TOO_LONG
    selection = Selection(expected=task.FAIL_TO_PASS + task.PASS_TO_PASS)
    code = log.exit_code
    run = combine(None, plain(text), code, timed_out=code is None, selection=selection)
    return run, ""


def _all_passed(run: TestRun) -> bool:
    return run.exit_code == 0 and run.counts.passed > 0 and not run.counts.bad


def _split(ids: tuple[str, ...], run: TestRun | None) -> TestList:
    passed = tuple(name for name in ids if run is not None and run.passed(name))
    return TestList(success=passed, failure=tuple(name for name in ids if name not in passed))


def _protected(task: Task) -> tuple[str, ...]:
    """The test files of the row, those its `test_patch` touches included."""
    from unidiff.patch import PatchSet

    touched = {file.path for file in PatchSet(task.test_patch)} if task.test_patch else set()
    return tuple(sorted(touched | set(task.test_files)))


def _selection(task: Task) -> tuple[str, ...]:
    """What to run: with ids the files they name, else the row's paths and expression."""
    if task.FAIL_TO_PASS:
        return task.test_files
    chosen = (f"-k{task.pytest_k}",) if task.pytest_k else ()
    return (*chosen, *task.test_paths)
