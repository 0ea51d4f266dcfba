"""Many predictions graded side by side: in which order, and how many at once."""

import asyncio
import hashlib
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent_runner.config import RunConfig
from agent_runner.errors import InfraFault
from agent_runner.evaluation.directory import GradeDir
from agent_runner.evaluation.item import Item
from agent_runner.evaluation.one import Bench, grade_one
from agent_runner.evaluation.view import GradeView
from agent_runner.evaluation.work import Work
from agent_runner.grading.network import OpenNetwork
from agent_runner.grading.verdict_cache import VerdictCache
from tools.workspace.engine import Engine, EngineFacts
from tools.workspace.leftovers import outcome, remove_run, sweep

# Of the engine's memory: what stays for the engine itself, and what a suite takes on average. Each
# container has a limit of its own, which few come near.
RESERVED_BYTES = 1 << 30
EACH_BYTES = 1 << 30


@dataclass(frozen=True)
class Job:
    """What is to be done, all of it checked.

    Attributes:
        workers: at once; None for as many as the engine has room for.
        fresh: what has a verdict is graded again.
    """

    work: Work
    directory: GradeDir
    home: Path
    config: RunConfig
    workers: int | None
    fresh: bool


async def run_grading(job: Job, view: GradeView) -> None:
    """Grades what is not done yet; the directory has what came of it.

    Raises:
        InfraFault: no engine answers; CancelledError: it was interrupted.
    """
    for remark in job.work.remarks():
        view.tell(remark)
    waiting = [item for item in job.work.items if job.fresh or not is_done(job, item)]
    done = len(job.work.items) - len(waiting)
    if done:
        view.tell(f"{done} have their verdict in {job.directory.path} already")
    view.total = len(waiting)
    if not waiting:
        return
    async with Engine() as engine:
        await sweep(engine, told=lambda *one: view.note(outcome(*one)))
        bench = _bench(job, engine)
        try:
            workers = job.workers or default_workers(await engine.facts())
            view.tell(f"grading {len(waiting)}, {min(workers, len(waiting))} at once")
            with view.shown():
                await grade_all(bench, waiting, workers, view)
        finally:
            try:
                await remove_run(engine, bench.run)
            except InfraFault as fault:
                view.tell(f"not cleaned up, `clean` will: {fault.message}")


def is_done(job: Job, item: Item) -> bool:
    """Whether an earlier run came to this very verdict, its controls included if they must hold."""
    before = job.directory.outcome(item.row.instance_id)
    if before is None or not before.has_verdict or before.identity != item.identity:
        return False
    grade = before.grade
    return not job.config.controls or grade is None or grade.controls.empty != "not_run"


def _bench(job: Job, engine: Engine) -> Bench:
    place = hashlib.sha256(str(job.directory.path).encode()).hexdigest()[:8]
    return Bench(
        engine=engine,
        config=job.config,
        directory=job.directory,
        home=job.home,
        run=f"{job.directory.path.name}-{place}",
        open_network=OpenNetwork.of(os.environ),
        verdicts=VerdictCache(job.home / "verdicts"),
        fresh=job.fresh,
    )


def default_workers(facts: EngineFacts) -> int:
    """As many as the engine has cpus, where its memory is enough for them."""
    by_memory = (facts.memory_bytes - RESERVED_BYTES) // EACH_BYTES
    return max(1, min(facts.cpus, by_memory))


async def grade_all(bench: Bench, items: Sequence[Item], workers: int, view: GradeView) -> None:
    """Grades each; what comes of it is in the directory.

    Raises:
        CancelledError: it was interrupted; what was done until then is on disk.
    """
    waiting = spread(items)

    async def work() -> None:
        while waiting:
            item = waiting.pop(0)
            name = item.row.instance_id
            view.step(name, "preparing")
            view.ended(await grade_one(bench, item, view.observer(name)))

    async with asyncio.TaskGroup() as group:
        for _ in range(min(workers, len(waiting))):
            group.create_task(work())


def spread(items: Sequence[Item]) -> list[Item]:
    """In turns over projects and versions: those of one share layers, which are built once."""
    groups: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        groups[item.row.repo, item.row.version].append(item)
    turns = [(turn, item) for group in groups.values() for turn, item in enumerate(group)]
    return [item for _, item in sorted(turns, key=lambda pair: pair[0])]
