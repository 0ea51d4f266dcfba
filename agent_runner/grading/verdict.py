"""From grading runs to a verdict."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from agent_runner.grading.attempt import Attempt, Grader
from agent_runner.grading.hints import hints_in_patch, touches_packaging
from agent_runner.grading.recipe import Reading, Recipe, Report
from agent_runner.result import Controls, ExploitHint, Grade

EMPTY = b""
SHOWN = 10


@dataclass(frozen=True)
class Verdict:
    """A grade and the runs it rests on.

    Attributes:
        attempts: the run by the rules first; the repetition for a lone failure, or the base of a
            row without ids, second.
        report: in SWE-bench's own shape, by instance id.
        hints: what could have made it wrong, in the patch or in the run.
    """

    grade: Grade
    attempts: tuple[Attempt, ...]
    report: dict[str, Report]
    hints: tuple[ExploitHint, ...] = ()

    @property
    def attempt(self) -> Attempt:
        """The run by the rules."""
        return self.attempts[0]

    @property
    def report_is_error(self) -> bool:
        """Whether the official harness ends such a run as an error, without a report."""
        log = self.attempt.ran.log
        return not log.patch_applied or log.timed_out or bool(self.attempt.reading.note)

    def with_controls(self, controls: Controls) -> "Verdict":
        """The same, saying how the task's own checks went."""
        return replace(self, grade=self.grade.model_copy(update={"controls": controls}))

    def report_json(self) -> str:
        """The report as a file has it."""
        return json.dumps(self.report, indent=4)


async def judge(grader: Grader, recipe: Recipe, patch: bytes, directory: Path) -> Verdict:
    """Grades a patch in a fresh container; a lone PASS_TO_PASS failure is run once more.

    A task without ids is resolved if its tests pass with the patch and fail without it, so the
    base is run as well.

    Args:
        directory: where the logs go.

    Raises:
        InfraFault, InvalidTask: there is no verdict.
    """
    first = await graded(grader, recipe, patch, directory / "test_output.txt")
    again = directory / "test_output.2.txt"
    if not recipe.has_ids:
        return conclude(recipe, patch, first, await graded(grader, recipe, EMPTY, again))
    if lone_failure(first.reading):
        return conclude(recipe, patch, first, await graded(grader, recipe, patch, again))
    return conclude(recipe, patch, first, None)


async def graded(grader: Grader, recipe: Recipe, patch: bytes, log: Path) -> Attempt:
    """One run: with the package index open only where an install line fails without."""
    attempt = await grader.attempt(recipe, patch, log)
    if attempt.ran.installed or grader.open_network is None:
        return attempt
    return await grader.attempt(recipe, patch, log, network=grader.open_network)


def lone_failure(reading: Reading) -> bool:
    """Whether one test that passed before is all that failed: it may be a flaky one."""
    return len(reading.pass_to_pass.failure) == 1 and not reading.fail_to_pass.failure


def conclude(recipe: Recipe, patch: bytes, first: Attempt, second: Attempt | None) -> Verdict:
    """The verdict of runs that are over."""
    reading = first.reading
    reran: tuple[str, ...] = ()
    resolved = official = reading.resolved
    controls = Controls()
    if not recipe.has_ids:
        failed_before = second is not None and not second.reading.all_passed
        official = resolved = failed_before and reading.all_passed
        controls = Controls(empty="passed" if failed_before else "failed")
    elif second is not None:
        reran = reading.pass_to_pass.failure
        resolved = reran[0] in second.reading.pass_to_pass.success
    hints = (*hints_in_patch(patch, recipe.reference), *_hints_in_run(recipe, patch, first))
    grade = Grade(
        resolved=resolved,
        official=official,
        suspect=bool(hints),
        patch_applied=first.ran.log.patch_applied,
        FAIL_TO_PASS=reading.fail_to_pass,
        PASS_TO_PASS=reading.pass_to_pass,
        exit_code=first.ran.log.exit_code,
        network="closed" if first.ran.network_closed else "open",
        reran=reran,
        controls=controls,
        note=reading.note,
    )
    report = {**reading.report, "resolved": official}
    attempts = (first,) if second is None else (first, second)
    return Verdict(grade, attempts, {recipe.instance_id: report}, hints)


def _hints_in_run(recipe: Recipe, patch: bytes, attempt: Attempt) -> list[ExploitHint]:
    """A log nobody can read, a changed system, and a network that only this patch needed."""
    found = []
    if attempt.reading.note:
        found.append(ExploitHint(kind="log", turn=None, where=attempt.reading.note))
    found += [
        ExploitHint(kind="tampered", turn=None, where=path) for path in attempt.ran.tampered[:SHOWN]
    ]
    if not attempt.ran.network_closed and touches_packaging(patch, recipe.reference):
        where = "an install line failed until the package index was open"
        found.append(ExploitHint(kind="open_network", turn=None, where=where))
    return found
