"""From grading runs to a verdict."""

from dataclasses import dataclass

from agent_runner.grading.attempt import Attempt, Grader
from agent_runner.grading.recipe import Recipe
from agent_runner.result import Controls, Grade, TestList
from tools.testruns.outcome import TestRun

EMPTY = b""


@dataclass(frozen=True)
class Verdict:
    """A grade and the runs it rests on."""

    grade: Grade
    attempt: Attempt
    controls_hold: bool


async def judge(grader: Grader, recipe: Recipe, patch: bytes) -> Verdict:
    """Grades a patch in a fresh container; a lone PASS_TO_PASS failure is run once more.

    A task without ids is resolved if its tests pass with the patch and fail without it, so the
    base is run as well.

    Raises:
        InfraFault, InvalidTask: there is no verdict.
    """
    first = await grader.attempt(recipe, patch)
    if not recipe.has_ids:
        return await _by_exit_code(grader, recipe, first)
    grade = _by_ids(recipe, first)
    flaky = grade.PASS_TO_PASS.failure
    if not grade.official and len(flaky) == 1 and not grade.FAIL_TO_PASS.failure:
        again = await grader.attempt(recipe, patch)
        held = again.run is not None and again.run.passed(flaky[0])
        grade = grade.model_copy(update={"resolved": held, "reran": flaky})
    return Verdict(grade, first, controls_hold=True)


def _by_ids(recipe: Recipe, attempt: Attempt) -> Grade:
    fail_to_pass = _split(recipe.fail_to_pass, attempt.run)
    pass_to_pass = _split(recipe.pass_to_pass, attempt.run)
    resolved = not fail_to_pass.failure and not pass_to_pass.failure
    return _grade(attempt, resolved, fail_to_pass, pass_to_pass)


async def _by_exit_code(grader: Grader, recipe: Recipe, attempt: Attempt) -> Verdict:
    base = await grader.attempt(recipe, EMPTY)
    failed_before = base.run is not None and not _all_passed(base.run)
    resolved = failed_before and attempt.run is not None and _all_passed(attempt.run)
    grade = _grade(attempt, resolved, TestList(), TestList())
    controls = Controls(empty="passed" if failed_before else "failed")
    return Verdict(grade.model_copy(update={"controls": controls}), attempt, failed_before)


def _all_passed(run: TestRun) -> bool:
    return run.exit_code == 0 and run.counts.passed > 0 and not run.counts.bad


def _split(ids: tuple[str, ...], run: TestRun | None) -> TestList:
    """A test that did not run has failed, as in the official grader."""
    passed = tuple(name for name in ids if run is not None and run.passed(name))
    return TestList(success=passed, failure=tuple(name for name in ids if name not in passed))


def _grade(
    attempt: Attempt, resolved: bool, fail_to_pass: TestList, pass_to_pass: TestList
) -> Grade:
    return Grade(
        resolved=resolved,
        official=resolved,
        suspect=False,
        patch_applied=attempt.patch_applied,
        FAIL_TO_PASS=fail_to_pass,
        PASS_TO_PASS=pass_to_pass,
        exit_code=attempt.run.exit_code if attempt.run else None,
        network="closed" if attempt.network_closed else "open",
    )


def empty_holds(recipe: Recipe, attempt: Attempt) -> bool:
    """Whether the base shows what it must: FAIL_TO_PASS ran and failed by name, the rest held."""
    run = attempt.run
    if run is None:
        return False
    failing = all(run.failed(name) for name in recipe.fail_to_pass)
    return failing and all(run.passed(name) for name in recipe.pass_to_pass)
