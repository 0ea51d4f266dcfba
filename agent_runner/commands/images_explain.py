"""`images explain`: where every choice for a task came from. Nothing is built."""

import asyncio
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from agent_runner.benchmarks.swebench.subset import Subset
from agent_runner.commands.images_build import chosen
from agent_runner.commands.report_faults import reporting_faults
from agent_runner.config import RunConfig, parse_set, read_layer, resolve
from agent_runner.environments.plan import environment_of, survey
from agent_runner.errors import FaultKind, InfraFault
from agent_runner.images.choose_instance import Wanted
from agent_runner.images.choose_python import choose_base
from agent_runner.observer import Observer
from agent_runner.places import home
from agent_runner.prepare import mirror_of
from agent_runner.task import Located
from tools.workspace.build.builder import Builder
from tools.workspace.engine import Engine
from tools.workspace.layers.base_image import Base, find_base
from tools.workspace.layers.environment_layer import known_resolution
from tools.workspace.layers.instance import PUBLISHED
from tools.workspace.layers.sizes import Sized, lineage, weigh
from tools.workspace.packages.ground import PINS
from tools.workspace.repository.checkpoints import cuts

MB = 1_000_000


@dataclass(frozen=True)
class Layer:
    """A layer that is there; `digest` is what was pulled, or the image's own id."""

    layer: str
    tag: str
    own_bytes: int
    unshared_bytes: int
    digest: str


@dataclass(frozen=True)
class Explained:
    """What a task gets.

    Attributes:
        why: a line per choice.
        dates: what dependencies are taken as of: the first of them that has what is asked for.
        pins: what the plan came to; None where it was not resolved yet.
        left_out: what the lists name and the environment does not hold, and why.
        checkpoints: the commits its history is cut at.
        published: the image the row names; "" for none.
        missing_base: the Python of a base image that has to be built first; "" for none.
        instance: the image's name; "" where it cannot be known yet.
        layers: those that are there, from the top down.
    """

    task_id: str
    repo: str
    commit: str
    why: tuple[str, ...]
    python: str
    as_of: str
    dates: tuple[str, ...]
    pins: tuple[str, ...] | None
    left_out: tuple[str, ...]
    checkpoints: tuple[str, ...]
    published: str
    missing_base: str
    instance: str
    layers: tuple[Layer, ...]


@click.command("explain")
@click.argument("task_id", metavar="ID")
@click.option("--tasks", type=click.Path(path_type=Path), help="Where ID is. [the seeds]")
@click.option("--dataset", metavar="NAME_OR_PATH", help="Where ID is, instead of --tasks.")
@click.option("--split", metavar="NAME", help="With --dataset. [test]")
@click.option(
    "--config", type=click.Path(path_type=Path), multiple=True, help="A YAML of settings."
)
@click.option("--set", "sets", multiple=True, metavar="KEY.SUB=VALUE", help="One setting.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    task_id: str, tasks: Path | None, dataset: str | None, split: str | None,
    config: tuple[Path, ...], sets: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Says which Python, dependencies, layers and images a task gets, and why.

    Every line under `why` names the file, the fact or the date a choice was taken from. Nothing is
    built; the repository's mirror is made where it is missing.
    """
    subset = Subset(dataset, split or "test", (task_id,)) if dataset else None
    located = chosen(tasks, () if subset else (task_id,), subset)[0]
    given = [read_layer(path) for path in config] + [parse_set(text) for text in sets]
    with reporting_faults():
        said = asyncio.run(_explain(resolve(given), located))
    click.echo(json.dumps(asdict(said)) if as_json else _text(said))


async def _explain(config: RunConfig, located: Located) -> Explained:
    observer = Observer()
    async with Engine() as engine:
        mirror, commit = await mirror_of(located, home(), config, observer)
        wish = await survey(
            mirror, commit, located, wanted=config.images.python, with_facts=config.images.facts
        )
        environ = dict(os.environ)
        builder = Builder(engine, f"images-{os.getpid()}", home(), environ, observer.step)
        finding = _Finding(builder)
        try:
            base: Base | None = await choose_base(wish, finding.bring)
        except InfraFault as fault:
            if fault.kind is not FaultKind.IMAGE_UNAVAILABLE or not finding.missing:
                raise
            base = None
        planned = environment_of(wish, base.python if base else wish.choice.python)
        plan = planned.environment
        resolution = known_resolution(home(), engine.architecture, plan)
        instance = Wanted(located, mirror, commit, base, planned).tag if base else ""
        pins = resolution.pins if resolution else await _pins(engine, instance)
        return Explained(
            task_id=located.task.task_id,
            repo=located.task.repo,
            commit=commit,
            why=plan.reasons,
            python=plan.python,
            as_of=plan.as_of,
            dates=plan.dates,
            pins=pins,
            left_out=resolution.skipped if resolution else (),
            checkpoints=(await cuts(mirror, commit)).shared,
            published=located.official.image if located.official else "",
            missing_base="" if base else finding.missing,
            instance=instance,
            layers=await _layers(engine, instance) if instance else (),
        )


@dataclass
class _Finding:
    """Brings the bases that are there.

    Attributes:
        missing: the Python of one that is not; "" so far.
    """

    builder: Builder
    missing: str = ""

    async def bring(self, python: str) -> Base:
        found = await find_base(self.builder.engine, python)
        if found is None:
            self.missing = python
            message = f"there is no base image for Python {python} yet"
            raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message)
        return found


async def _pins(engine: Engine, instance: str) -> tuple[str, ...] | None:
    """What a layer that was made from another state directory says of itself."""
    image = await engine.image(instance) if instance else None
    return tuple(image.labels[PINS].split()) if image and PINS in image.labels else None


async def _layers(engine: Engine, instance: str) -> tuple[Layer, ...]:
    """What the instance stands on, where it is there."""
    if await engine.image(instance) is None:
        return ()
    sized = {one.name: one for one in (await weigh(engine)).images}
    tags = await lineage(engine, instance)
    return tuple(_layer(sized[tag]) for tag in tags if tag in sized)


def _layer(one: Sized) -> Layer:
    digest = one.image.labels.get(PUBLISHED) or one.image.id
    return Layer(one.layer, one.name, one.own_bytes, one.unshared_bytes, digest)


def _text(said: Explained) -> str:
    """For a person."""
    lines = [f"{said.task_id}: {said.repo} at {said.commit}", "why"]
    lines += [f"  {reason}" for reason in said.why]
    dates = ", where asked for of ".join(said.dates)
    if said.pins is None:
        lines.append(f"dependencies as of {dates}: not resolved yet")
    else:
        lines.append(f"dependencies as of {dates}: {len(said.pins)} packages")
        lines.append(f"  {' '.join(said.pins)}")
        lines += [f"  left out: {reason}" for reason in said.left_out]
    cut = " <- ".join(name[:12] for name in said.checkpoints) or "in one piece"
    lines.append(f"history: {cut}")
    if said.published:
        lines.append(f"published image: {said.published} (images.prefer=published takes it)")
    if said.missing_base:
        lines.append(f"layers: none; the base image for Python {said.missing_base} comes first")
    elif not said.layers:
        lines.append(f"layers: {said.instance} is not built yet")
    else:
        lines.append("layers")
    for one in said.layers:
        own, frees = one.own_bytes // MB, one.unshared_bytes // MB
        lines.append(f"  {one.layer:<12} {own:>5} MB, frees {frees:>4} MB  {one.tag}")
    return "\n".join(lines)
