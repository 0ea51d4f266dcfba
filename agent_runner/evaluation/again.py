"""Verdicts of saved logs, for a whole directory of them."""

import asyncio
from dataclasses import dataclass, field

from agent_runner.benchmarks.swebench.predictions import Prediction
from agent_runner.errors import UsageError
from agent_runner.evaluation.directory import GradeDir, GradeFacts, Outcome
from agent_runner.evaluation.item import Item
from agent_runner.evaluation.one import verdict_of
from agent_runner.grading.controls import Found
from agent_runner.grading.saved import FACTS, read_saved, regrade, save
from agent_runner.result import Status


@dataclass
class Changes:
    """What came of it.

    Attributes:
        changed: a line for each verdict that is another one now.
        without_log: graded, but nothing was saved: the world failed, or the patch could not be
            tried.
    """

    read: int = 0
    changed: list[str] = field(default_factory=list)
    without_log: list[str] = field(default_factory=list)


async def grade_again(directory: GradeDir, facts: GradeFacts, workers: int) -> Changes:
    """Reads every log and writes report and grade anew.

    Raises:
        UsageError: a file that `grade` writes is missing or cannot be read.
    """
    changes = Changes()
    waiting = [
        outcome for name in facts.submitted_ids if (outcome := directory.outcome(name)) is not None
    ]

    async def work() -> None:
        while waiting:
            await _one(directory, waiting.pop(0), changes)

    await asyncio.gather(*(work() for _ in range(workers)))
    changes.changed.sort()
    return changes


async def _one(directory: GradeDir, before: Outcome, changes: Changes) -> None:
    name = before.instance_id
    place = directory.instance(name)
    if not (place / FACTS).is_file():
        changes.without_log.append(name)
        return
    try:
        patch = (place / "patch.diff").read_bytes()
    except OSError as error:
        raise UsageError(f"{place}/patch.diff cannot be read: {error.strerror}") from error
    item = Item.of(directory.row(name), Prediction(name, "", patch))
    report = directory.report(name)
    save(await regrade(item.recipe, place, patch), place)
    changes.read += 1
    outcome = _with_the_rest(verdict_of(item, read_saved(place), Found()), before)
    directory.finish(outcome)
    if (outcome.status, directory.report(name)) != (before.status, report):
        changes.changed.append(f"{name}: {before.status} -> {outcome.status}")


def _with_the_rest(outcome: Outcome, before: Outcome) -> Outcome:
    """What no log says: the layer, the time, and whether the task holds on this machine."""
    kept = {name: getattr(before, name) for name in ("layer_key", "source", "duration_s")}
    if before.status is Status.INVALID_TASK:
        kept |= {"status": before.status, "reason": before.reason}
    if before.grade is not None and outcome.grade is not None:
        controls = {"controls": before.grade.controls}
        kept["grade"] = outcome.grade.model_copy(update=controls)
    return outcome.model_copy(update=kept)
