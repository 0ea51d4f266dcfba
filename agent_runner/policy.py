"""From `termination:` in the configuration to AutoGen conditions."""

from collections.abc import Awaitable, Callable

from autogen_agentchat.base import OrTerminationCondition, TerminationCondition

from agent_runner.config import RunConfig
from agent_runner.task import Task
from agent_runner.termination import (
    Answers,
    GaveUp,
    MaxTurns,
    Submitted,
    TailPattern,
    TestsPassed,
)
from tools.workspace.workspace import BrokenRepository, Workspace


def policy(
    config: RunConfig, task: Task, workspace: Workspace, answers: Answers
) -> TerminationCondition:
    """Every condition on the turns of this episode; the first that fires names the end.

    Limits of time, tokens and money are none of them: they hold within a turn, too.

    `tests_passed` exists only where the failing tests are visible: with hidden ones the agent
    cannot know, and must say so itself.
    """
    rules = config.termination
    conditions: list[TerminationCondition] = []
    if rules.tests_passed and task.FAIL_TO_PASS and not task.tests_are_hidden:
        conditions.append(TestsPassed(answers, task.FAIL_TO_PASS))
    if rules.tail_pattern:
        changed = _source_changed(workspace, task)
        conditions.append(TailPattern(answers, rules.tail_pattern, changed))
    conditions += [Submitted(), GaveUp(rules.nudges)]
    conditions.append(MaxTurns(rules.max_turns))
    return OrTerminationCondition(*conditions)


def _source_changed(workspace: Workspace, task: Task) -> Callable[[], Awaitable[bool]]:
    """Asks whether a file that is no test differs from the base."""

    async def changed() -> bool:
        try:
            files = await workspace.changed_files()
        except BrokenRepository:
            return False
        tests = set(task.test_files)
        return any(name not in tests and not is_test_file(name) for name in files)

    return changed


def is_test_file(path: str) -> bool:
    """Whether a path is a test by pytest's own conventions."""
    *folders, name = path.split("/")
    return (
        name.startswith("test_")
        or name.endswith("_test.py")
        or name == "conftest.py"
        or any(folder in {"test", "tests", "testing"} for folder in folders)
    )
