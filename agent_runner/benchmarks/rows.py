"""The rules of plain task rows: pytest over the files the ids name, or the row's own command."""

import shlex

from agent_runner.grading.recipe import Recipe
from agent_runner.task import Task
from tools.testruns.outcome import TestRun
from tools.testruns.selection import Selection
from tools.testruns.summarise import combine

PYTEST = (
    "python", "-m", "pytest", "-rAfEsxXp", "-p", "no:pretty", "--color=no", "--verbosity=0",
    "--maxfail=0", "-o", "cache_dir=/tmp/agent_runner-cache",
)  # fmt: skip


def recipe(task: Task, *, protect: bool = True) -> Recipe:
    """How a row is graded.

    Args:
        protect: False for a patch that its owner brings, whose own tests count.
    """
    ids = task.FAIL_TO_PASS + task.PASS_TO_PASS

    def read(log: str, exit_code: int | None) -> TestRun:
        selection = Selection(expected=ids)
        return combine(None, log, exit_code, timed_out=exit_code is None, selection=selection)

    return Recipe(
        protected=_protected(task) if protect else (),
        test_patch=task.test_patch.encode(),
        script=task.test_cmd or shlex.join((*PYTEST, *_selection(task))),
        read=read,
        fail_to_pass=task.FAIL_TO_PASS,
        pass_to_pass=task.PASS_TO_PASS,
    )


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
