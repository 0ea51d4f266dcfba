"""`images build`: layers ahead of the runs that need them."""

import asyncio
import os
import time
from pathlib import Path

import click

from agent_runner.benchmarks import seeds
from agent_runner.benchmarks.swebench.subset import Subset
from agent_runner.commands.dataset_options import dataset_options
from agent_runner.commands.many import report, shown
from agent_runner.commands.report_faults import reporting_faults
from agent_runner.config import RunConfig, parse_set, read_layer, resolve
from agent_runner.environments.python import FALLBACK
from agent_runner.errors import FaultKind, InfraFault, UsageError
from agent_runner.images.build_many import Outcome, build_many, workers_for
from agent_runner.observer import Observer
from agent_runner.places import home
from agent_runner.prepare import base_image, prepare
from agent_runner.stages import Stages
from agent_runner.task import Located, find_task, load_tasks, locate
from tools.workspace.build.builder import Builder
from tools.workspace.engine import Engine
from tools.workspace.layers.instance import Instance
from tools.workspace.layers.official_tag import tag_officially

EPILOG = """\b
Examples:
  images build                                          the base image alone
  images build --task-id spanset__merge-nested          a seed's layers
  images build --dataset SWE-bench_Lite --filter repo=OWNER/NAME --workers 4
  images build --dataset rows.jsonl --official-tags     so that the official harness finds them

What is there is not built again, so the same command goes on where it was interrupted. What fails
is listed at the end with its reason, and the exit code is 3."""


@click.command("build", epilog=EPILOG)
@click.option("--python", metavar="X.Y", help=f"The base image alone, of this Python. [{FALLBACK}]")
@click.option("--tasks", type=click.Path(path_type=Path), help="The layers of these tasks.")
@click.option("--task-id", multiple=True, metavar="ID", help="Of --tasks or the seeds, only this.")
@dataset_options()
@click.option("--workers", type=click.IntRange(1), help="At a time. [by cpus and memory]")
@click.option(
    "--official-tags",
    is_flag=True,
    help="Also tag each instance with the image its row names; a foreign image of it stays.",
)
@click.option(
    "--config", type=click.Path(path_type=Path), multiple=True, help="A YAML of settings."
)
@click.option("--set", "sets", multiple=True, metavar="KEY.SUB=VALUE", help="One setting.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    python: str | None, tasks: Path | None, task_id: tuple[str, ...], subset: Subset | None,
    workers: int | None, official_tags: bool, config: tuple[Path, ...], sets: tuple[str, ...],
    as_json: bool,
) -> None:  # fmt: skip
    """Builds the layers of tasks, of a data set or of a part of one, where they are missing."""
    located = chosen(tasks, task_id, subset)
    if official_tags and subset is None:
        raise UsageError("--official-tags belongs to --dataset: tasks name no image")
    given = [read_layer(path) for path in config] + [parse_set(text) for text in sets]
    plan = _Building(resolve(given), official_tags, workers)
    with reporting_faults():
        if python or not located:
            asyncio.run(_base(plan.config, python or plan.config.images.python or FALLBACK))
        outcomes = asyncio.run(plan.build(located)) if located else []
    if located:
        report(outcomes, as_json=as_json)


def chosen(tasks: Path | None, task_id: tuple[str, ...], subset: Subset | None) -> list[Located]:
    """The tasks that the options name.

    Raises:
        UsageError: one is not there, or the options contradict each other.
    """
    if subset is not None:
        if tasks or task_id:
            raise UsageError("--dataset excludes --tasks and --task-id; it has --instance-ids")
        return [row.located() for row in subset.rows()]
    path = tasks or seeds.tasks_file()
    wanted = [find_task(path, name) for name in task_id]
    if tasks is not None and not task_id:
        wanted = load_tasks(path)
    return [locate(task, path.resolve().parent) for task in wanted]


async def _base(config: RunConfig, python: str) -> None:
    observer = Observer()
    async with Engine() as engine:
        builder = Builder(engine, _run(), home(), dict(os.environ), observer.step)
        base = await base_image(builder, config, observer, python)
    observer.say(f"base image: {base.image.tags[0]}")


def _run() -> str:
    return f"images-{os.getpid()}"


class _Building:
    """One call of the command."""

    def __init__(self, config: RunConfig, official_tags: bool, workers: int | None) -> None:
        self.config = config
        self._official_tags = official_tags
        self._workers = workers

    async def build(self, located: list[Located]) -> list[Outcome]:
        """All of them."""
        async with Engine() as engine:
            workers = self._workers or workers_for(await engine.facts())

            async def make(one: Located, observer: Observer) -> Instance:
                return await self._make(engine, one, observer)

            with shown(len(located)) as progress:
                return await build_many(located, make, workers, progress)

    async def _make(self, engine: Engine, one: Located, observer: Observer) -> Instance:
        ready = await prepare(
            engine, self.config, one, run=_run(), home=home(), stages=Stages(time.monotonic()),
            observer=observer,
        )  # fmt: skip
        if self._official_tags:
            name = one.official.image if one.official else ""
            if not name:
                message = f"the row of {one.task.task_id} names no image to tag"
                raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message)
            await tag_officially(engine, ready.instance.tag, name)
        return ready.instance
