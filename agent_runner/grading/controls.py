"""Controls: the reference patch must resolve a task and nothing must not, on this machine.

They are run once per instance, layer and rules, and kept in the state directory.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import AsyncFileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from agent_runner.grading.attempt import Attempt, Grader
from agent_runner.grading.recipe import Recipe
from agent_runner.grading.verdict import EMPTY, Verdict, graded, judge
from agent_runner.grading.version import grading_version
from agent_runner.result import Controls, ControlState
from agent_runner.write_whole import write_whole
from tools.workspace.scratch import scratch

NAMED = 5


class Found(BaseModel):
    """What the controls of a task came to.

    Attributes:
        gold_fails: tests that fail although the reference patch is there.
        empty_passes: tests that are not, without a patch, as the task says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gold: ControlState = "not_run"
    empty: ControlState = "not_run"
    gold_fails: tuple[str, ...] = ()
    empty_passes: tuple[str, ...] = ()

    @property
    def controls(self) -> Controls:
        """As a grade tells them."""
        return Controls(gold=self.gold, empty=self.empty)

    @property
    def hold(self) -> bool:
        """Whether none failed."""
        return "failed" not in {self.gold, self.empty}

    @property
    def message(self) -> str:
        """What is wrong with the task, with the tests that say so; "" where nothing is."""
        said = []
        if self.gold == "failed":
            said.append("the reference patch does not resolve the task" + _names(self.gold_fails))
        if self.empty == "failed":
            text = "without a patch the tests are not as the task says"
            said.append(text + _names(self.empty_passes))
        return "; ".join(said)


def _names(tests: tuple[str, ...]) -> str:
    if not tests:
        return ""
    more = len(tests) - NAMED
    return f" ({', '.join(tests[:NAMED])}" + (f" and {more} more)" if more > 0 else ")")


@dataclass(frozen=True)
class ControlStore:
    """Where controls are kept, for one task in one layer.

    Attributes:
        directory: below the state directory, which is of one machine.
        layer_key: of the instance layer.
    """

    directory: Path
    layer_key: str

    def path(self, recipe: Recipe) -> Path:
        """The file of a task's controls."""
        reference = hashlib.sha256(recipe.reference).hexdigest()
        parts = (recipe.instance_id, self.layer_key, recipe.key, reference, grading_version())
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
        return self.directory / f"{key}.json"

    def read(self, recipe: Recipe) -> Found:
        """What is kept; nothing of it where the file is not ours to read."""
        try:
            return Found.model_validate_json(self.path(recipe).read_bytes())
        except (OSError, ValidationError):
            return Found()

    @asynccontextmanager
    async def locked(self, recipe: Recipe) -> AsyncIterator[None]:
        """Held by one process at a time."""
        self.directory.mkdir(parents=True, exist_ok=True)
        lock = self.path(recipe).with_suffix(".lock")
        async with AsyncFileLock(lock, poll_interval=0.1):
            yield

    def keep(self, recipe: Recipe, found: Found) -> None:
        """Writes what was found, whole."""
        write_whole(self.path(recipe), found.model_dump_json().encode())

    async def add(self, recipe: Recipe, found: Found) -> Found:
        """Keeps what one run showed beside what is known, and returns both."""
        async with self.locked(recipe):
            merged = _merged(self.read(recipe), found)
            self.keep(recipe, merged)
        return merged


async def control(grader: Grader, recipe: Recipe, store: ControlStore) -> Found:
    """The controls of a task: as kept, or run now, whichever are missing.

    A task without a reference patch has no gold control.

    Raises:
        InfraFault, InvalidTask: there is nothing to be said.
    """
    known = store.read(recipe)
    if _is_whole(known, recipe):
        return known
    async with store.locked(recipe):
        known = store.read(recipe)  # another process may have been here first
        if known.gold == "not_run" and recipe.reference:
            known = _merged(known, await _gold(grader, recipe))
            store.keep(recipe, known)
        if known.empty == "not_run":
            known = _merged(known, await _empty(grader, recipe))
            store.keep(recipe, known)
    return known


def _is_whole(found: Found, recipe: Recipe) -> bool:
    return found.empty != "not_run" and (found.gold != "not_run" or not recipe.reference)


async def _gold(grader: Grader, recipe: Recipe) -> Found:
    with scratch() as directory:
        return gold_found(await judge(grader, recipe, recipe.reference, directory))


async def _empty(grader: Grader, recipe: Recipe) -> Found:
    with scratch() as directory:
        attempt = await graded(grader, recipe, EMPTY, directory / "test_output.txt")
    return empty_found(recipe, attempt)


def gold_found(verdict: Verdict) -> Found:
    """What a verdict over the reference patch says of its task."""
    if verdict.grade.resolved:
        return Found(gold="passed")
    grade = verdict.grade
    failing = grade.FAIL_TO_PASS.failure + grade.PASS_TO_PASS.failure
    return Found(gold="failed", gold_fails=failing)


def empty_found(recipe: Recipe, attempt: Attempt) -> Found:
    """What a run without a patch says of its task, by the recipe's own strictness."""
    reading = attempt.reading
    if not recipe.has_ids:
        return Found(empty="failed" if reading.all_passed else "passed")
    if recipe.strict_empty:
        unnamed = tuple(name for name in recipe.fail_to_pass if name not in reading.named_failures)
        wrong = unnamed + reading.pass_to_pass.failure
    else:
        wrong = reading.fail_to_pass.success if reading.resolved else ()
    return Found(empty="failed" if wrong else "passed", empty_passes=wrong)


def _merged(known: Found, new: Found) -> Found:
    """Both; of one control run twice the later counts."""
    gold = new if new.gold != "not_run" else known
    empty = new if new.empty != "not_run" else known
    return Found(
        gold=gold.gold, gold_fails=gold.gold_fails, empty=empty.empty,
        empty_passes=empty.empty_passes,
    )  # fmt: skip
