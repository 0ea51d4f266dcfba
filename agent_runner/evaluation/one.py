"""One prediction of many: layers, verdict, controls, files."""

import asyncio
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from agent_runner.config import RunConfig
from agent_runner.containers import container_spec
from agent_runner.errors import InfraFault, UsageError
from agent_runner.evaluation.directory import GradeDir, Outcome
from agent_runner.evaluation.item import Item
from agent_runner.grading.attempt import Grader, InvalidTask
from agent_runner.grading.controls import (
    ControlStore,
    Found,
    control,
    empty_found,
    gold_found,
)
from agent_runner.grading.network import OpenNetwork
from agent_runner.grading.recipe import Recipe
from agent_runner.grading.saved import Saved, read_saved, save
from agent_runner.grading.verdict import Verdict, judge
from agent_runner.grading.verdict_cache import VerdictCache, VerdictKey
from agent_runner.grading.version import grading_version
from agent_runner.images.cache_level import layers_kept
from agent_runner.observer import Observer
from agent_runner.prepare import Prepared, prepare
from agent_runner.result import ErrorInfo, Status
from agent_runner.stages import Stages
from tools.workspace.engine import Engine

# The world may be better a moment later; a patch gets no second chance.
TRIES = 2
PAUSE_S = 2.0


@dataclass(frozen=True)
class Bench:
    """What the grading of every prediction shares.

    Attributes:
        run: names it on labels.
        verdicts: those kept from earlier runs; with `fresh` only written.
    """

    engine: Engine
    config: RunConfig
    directory: GradeDir
    home: Path
    run: str
    open_network: OpenNetwork
    verdicts: VerdictCache
    fresh: bool


async def grade_one(bench: Bench, item: Item, observer: Observer) -> Outcome:
    """Grades one prediction; whatever happens to it, the others go on.

    What is written ends with the outcome. Only an interruption leaves none.
    """
    began_s = time.monotonic()
    bench.directory.begin(item.row, item.patch)
    outcome = await _outcome(bench, item, observer)
    outcome = outcome.model_copy(update={"duration_s": round(time.monotonic() - began_s, 3)})
    bench.directory.finish(outcome)
    return outcome


async def _outcome(bench: Bench, item: Item, observer: Observer) -> Outcome:
    if item.prediction.fault:
        outcome = item.outcome(Status.UNRESOLVED, item.prediction.fault)
        return outcome.model_copy(update={"counts_as_error": True})
    stages = Stages(time.monotonic())
    for tried in range(1, TRIES + 1):
        try:
            return await _graded(bench, item, stages, observer)
        except InfraFault as fault:
            if fault.retryable and tried < TRIES:
                observer.complain(f"again, after {fault.kind}: {fault.message}")
                await asyncio.sleep(PAUSE_S)
                continue
            return _failed(
                item,
                ErrorInfo(
                    kind=fault.kind,
                    stage=stages.current,
                    message=fault.message,
                    retryable=fault.retryable,
                ),
            )
        except (InvalidTask, UsageError) as error:
            return item.outcome(Status.INVALID_TASK, str(error))
        except Exception as bug:  # noqa: BLE001 - one task's bug: its traceback, the rest goes on
            observer.note(traceback.format_exc())
            message = f"{type(bug).__name__}: {bug}"
            return _failed(
                item,
                ErrorInfo(kind="internal", stage=stages.current, message=message, retryable=False),
            )
    raise AssertionError("every try returns or raises")


def _failed(item: Item, error: ErrorInfo) -> Outcome:
    outcome = item.outcome(Status.INFRA_ERROR, f"{error.kind}: {error.message}")
    return outcome.model_copy(update={"error": error})


async def _graded(bench: Bench, item: Item, stages: Stages, observer: Observer) -> Outcome:
    level = bench.config.images.cache_level
    async with layers_kept(bench.engine, level, bench.home, observer) as layers:
        ready = await prepare(
            bench.engine, bench.config, item.located, run=bench.run, home=bench.home,
            stages=stages, observer=observer, layers=layers,
        )  # fmt: skip
        with stages.stage("grade"):
            return await _judged(bench, item, ready, observer)


async def _judged(bench: Bench, item: Item, ready: Prepared, observer: Observer) -> Outcome:
    """The kept verdict, or a new one; then what the task's own controls say."""
    config, directory = bench.config, bench.directory.instance(item.row.instance_id)
    spec = container_spec(config.limits, ready, run=bench.run, role="grader")
    limit_s, project = config.limits.grade_s, ready.planned.project
    grader = Grader(bench.engine, spec, ready.head, limit_s, bench.open_network, project)
    store = ControlStore(bench.home / "controls", ready.instance.key)
    key = VerdictKey(item.patch, _layer(ready), item.recipe.key, grading_version(), _limits(config))
    is_kept = not bench.fresh and await asyncio.to_thread(bench.verdicts.take, key, directory)
    if not is_kept:
        observer.step("grading")
        verdict = await judge(grader, item.recipe, item.patch, directory)
        save(verdict, directory)
        if config.controls:
            await _remember(item.recipe, item.patch, verdict, store)
        # A limit that was met says as much about the machine as about the patch.
        if not verdict.attempt.ran.log.timed_out:
            await asyncio.to_thread(bench.verdicts.keep, key, directory)
    controls = Found()
    if config.controls:
        observer.step("its controls: the reference patch, no patch")
        try:
            controls = await control(grader, item.recipe, store)
        except InfraFault as fault:
            observer.complain(f"controls not run, the verdict stands: {fault.message}")
    outcome = verdict_of(item, read_saved(directory), controls)
    source = "kept" if is_kept else "graded"
    return outcome.model_copy(update={"layer_key": ready.instance.key, "source": source})


def _layer(ready: Prepared) -> str:
    """The layer's key, which says nothing of what was pulled: that has a digest."""
    pulled = ready.instance.digest if "@" in ready.instance.digest else ""
    return f"{ready.instance.key} {pulled}".strip()


async def _remember(recipe: Recipe, patch: bytes, verdict: Verdict, store: ControlStore) -> None:
    """A grading of the reference patch, or of none, is a control by itself."""
    if recipe.reference and patch == recipe.reference:
        await store.add(recipe, gold_found(verdict))
    elif not patch:
        await store.add(recipe, empty_found(recipe, verdict.attempt))


def _limits(config: RunConfig) -> str:
    limits = config.limits
    return f"{limits.grade_s} s, {limits.memory_mb} MB, {limits.cpus} cpus, {limits.pids} pids"


def verdict_of(item: Item, saved: Saved, controls: Found) -> Outcome:
    """The outcome of a verdict that was saved, with what the task's own controls say."""
    run, grade = saved.runs[0], saved.grade.model_copy(update={"controls": controls.controls})
    reason = "" if grade.resolved else _reason(saved)
    status = Status.RESOLVED if grade.resolved else Status.UNRESOLVED
    if not controls.hold:
        status, reason = Status.INVALID_TASK, controls.message
    return item.outcome(status, reason).model_copy(
        update={
            "grade": grade,
            "counts_as_error": not run.patch_applied or run.timed_out or bool(grade.note),
        }
    )


def _reason(saved: Saved) -> str:
    """Why it is not resolved."""
    run, grade = saved.runs[0], saved.grade
    if not run.patch_applied:
        return "the patch does not apply (apply.txt says why)"
    if run.timed_out:
        return "the tests took longer than limits.grade_s"
    if grade.note:
        return grade.note
    lists = {"FAIL_TO_PASS": grade.FAIL_TO_PASS, "PASS_TO_PASS": grade.PASS_TO_PASS}
    counted = [
        f"{len(tests.failure)} of {len(tests.failure) + len(tests.success)} {name} fail"
        for name, tests in lists.items()
        if tests.failure
    ]
    never = "" if run.started else "; the tests never started"
    return ", ".join(counted) + never
