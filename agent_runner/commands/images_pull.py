"""`images pull`: published images, made into instances an agent may get."""

import asyncio
import os
from pathlib import Path

import click

from agent_runner.benchmarks.swebench.subset import Subset
from agent_runner.commands.dataset_options import dataset_options
from agent_runner.commands.many import report, shown
from agent_runner.commands.report_faults import reporting_faults
from agent_runner.config import RunConfig, parse_set, read_layer, resolve
from agent_runner.errors import FaultKind, InfraFault
from agent_runner.images.build_many import Outcome, build_many, workers_for
from agent_runner.images.disk_space import check_disk
from agent_runner.observer import Observer
from agent_runner.places import home
from agent_runner.prepare import mirror_of
from agent_runner.task import Located
from tools.workspace.build.builder import Builder
from tools.workspace.engine import Engine
from tools.workspace.layers.instance import Instance
from tools.workspace.layers.published import published_instance

EPILOG = """\b
Examples:
  images pull --dataset SWE-bench_Lite --instance-ids ID,ID
  --set images.prefer=published     for a run: pull what is missing, build what cannot be pulled

The tag is resolved to a digest first, and that is pulled and recorded (provenance.image_digest).
Its git history is cut at the base commit, as in the images built here. A registry that is busy or
away is asked again; limits.pull_s bounds it all. What fails is listed, and the exit code is 3."""


@click.command("pull", epilog=EPILOG)
@dataset_options(required=True)
@click.option("--workers", type=click.IntRange(1), help="At a time. [by cpus and memory]")
@click.option(
    "--config", type=click.Path(path_type=Path), multiple=True, help="A YAML of settings."
)
@click.option("--set", "sets", multiple=True, metavar="KEY.SUB=VALUE", help="One setting.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    subset: Subset, workers: int | None, config: tuple[Path, ...], sets: tuple[str, ...],
    as_json: bool,
) -> None:  # fmt: skip
    """Pulls the images that the rows name; nothing is built in place of one that cannot be had."""
    given = [read_layer(path) for path in config] + [parse_set(text) for text in sets]
    settings = resolve(given)
    located = [row.located() for row in subset.rows()]
    with reporting_faults():
        outcomes = asyncio.run(_pull(settings, located, workers))
    report(outcomes, as_json=as_json)


async def _pull(config: RunConfig, located: list[Located], workers: int | None) -> list[Outcome]:
    async with Engine() as engine:

        async def make(one: Located, observer: Observer) -> Instance:
            name = one.official.image if one.official else ""
            if not name:
                message = f"the row of {one.task.task_id} names no image"
                raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message)
            mirror, commit = await mirror_of(one, home(), config, observer)
            await check_disk(engine, config, mirror=mirror.path, published=True)
            environ, run = dict(os.environ), f"images-{os.getpid()}"
            builder = Builder(engine, run, home(), environ, observer.step, config.limits.build_s)
            return await published_instance(
                builder, name, mirror, commit, within_s=config.limits.pull_s
            )

        with shown(len(located)) as progress:
            at_a_time = workers or workers_for(await engine.facts())
            return await build_many(located, make, at_a_time, progress)
