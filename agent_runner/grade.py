"""The last stage of an episode: its patch becomes a grade, a status and, for controls, a check."""

from pathlib import Path
from typing import Literal

from agent_runner.benchmarks.rows import recipe
from agent_runner.draft import Draft
from agent_runner.grading.attempt import Grader, save
from agent_runner.grading.verdict import empty_holds, judge
from agent_runner.result import ControlState, Status


async def grade(grader: Grader, draft: Draft, directory: Path, *, own_tests: bool) -> None:
    """Grades the draft's patch and takes down what came of it.

    Args:
        directory: where script and log go.
        own_tests: the patch's own tests count, so no test file is set back.

    Raises:
        InfraFault, InvalidTask: there is no verdict.
    """
    rules = recipe(draft.task, protect=not own_tests)
    verdict = await judge(grader, rules, draft.patch or b"")
    save(verdict.attempt, directory)
    draft.grading, draft.grade = verdict.attempt, verdict.grade
    resolved = verdict.grade.resolved
    draft.status = Status.RESOLVED if resolved else Status.UNRESOLVED
    match draft.config.solver:
        case "gold":
            _control(draft, "gold", resolved, "the reference patch does not resolve the task")
        case "none" if rules.has_ids:
            held = empty_holds(rules, verdict.attempt)
            _control(draft, "empty", held, "without a patch the tests are not as the ids say")


def _control(draft: Draft, which: Literal["gold", "empty"], held: bool, message: str) -> None:
    """Takes down a control; one that does not hold makes the task invalid."""
    if draft.grade is None:
        return
    state: ControlState = "passed" if held else "failed"
    controls = draft.grade.controls.model_copy(update={which: state})
    draft.grade = draft.grade.model_copy(update={"controls": controls})
    if not held:
        draft.invalid(message)
