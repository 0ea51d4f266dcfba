"""`images`: what workspaces are made from."""

import asyncio
import json
import os
import time
from pathlib import Path

import click

from agent_runner.benchmarks import seeds
from agent_runner.commands.report_faults import reporting_faults
from agent_runner.config import RunConfig
from agent_runner.observer import Observer
from agent_runner.places import home
from agent_runner.prepare import prepare
from agent_runner.stages import Stages
from agent_runner.task import Located, find_task, load_tasks, locate
from tools.workspace import labels as label
from tools.workspace.base_image import REPOSITORY, build_base, find_base
from tools.workspace.builder import Builder
from tools.workspace.engine import Engine, Image

MB = 1_000_000


@click.group()
def command() -> None:
    """The layers: base (a Python), environment (dependencies as of a date), instance (a commit)."""


@command.command("ls")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def list_images(as_json: bool) -> None:
    """Lists the images we made, with their sizes (layers below included)."""
    with reporting_faults():
        images = asyncio.run(_list())
    rows = [
        {
            "layer": image.labels[label.LAYER],
            "tag": _name(image),
            "size_bytes": image.size_bytes,
            "key": image.labels.get(label.KEY, ""),
        }
        for image in sorted(images, key=lambda image: (image.labels[label.LAYER], image.tags))
    ]
    if as_json:
        click.echo(json.dumps({"images": rows}))
        return
    for row in rows:
        click.echo(f"{row['layer']:<12} {int(str(row['size_bytes'])) // MB:>6} MB  {row['tag']}")
    if not rows:
        click.echo("no images yet: `images build`, or any run, makes them", err=True)


def _name(image: Image) -> str:
    """Its tag; one that lost it to a rebuild goes by its id."""
    tags = [tag for tag in image.tags if not tag.startswith("<none>")]
    return tags[0] if tags else image.id[7:19]


async def _list() -> list[Image]:
    async with Engine() as engine:
        return await engine.images_with(label.LAYER)


@command.command("build")
@click.option("--python", "version", default="3.10", show_default=True, help="For the base image.")
@click.option("--tasks", type=click.Path(path_type=Path), help="Also the layers of these tasks.")
@click.option(
    "--task-id", multiple=True, metavar="ID", help="Of --tasks (or the seeds), only this."
)
def build(version: str, tasks: Path | None, task_id: tuple[str, ...]) -> None:
    """Builds the base image, and the layers of tasks, where they are missing."""
    path = tasks or seeds.tasks_file()
    wanted = [find_task(path, name) for name in task_id]
    if tasks is not None and not task_id:
        wanted = load_tasks(path)
    located = [locate(task, path.resolve().parent) for task in wanted]
    with reporting_faults():
        asyncio.run(_build(version, located))


async def _build(version: str, located: list[Located]) -> None:
    observer = Observer()
    run = f"images-{os.getpid()}"
    async with Engine() as engine:
        base = await find_base(engine, version)
        if base is None:
            builder = Builder(engine, run, home(), dict(os.environ), observer.step)
            with observer.waiting(f"building the base image for Python {version}"):
                base = await build_base(builder, version)
        observer.say(f"base image: {REPOSITORY}:py{base.python}")
        for one in located:
            stages = Stages(time.monotonic())
            ready = await prepare(
                engine, RunConfig(), one, run=run, home=home(), stages=stages, observer=observer
            )
            state = "built" if ready.instance.built else "was there"
            observer.say(f"{one.task.task_id}: {ready.instance.tag} {state}")
