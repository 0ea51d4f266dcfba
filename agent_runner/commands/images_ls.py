"""`images ls`: the images we made, and what they weigh."""

import asyncio
import json
import time
from pathlib import Path

import click

from agent_runner.commands.report_faults import reporting_faults
from agent_runner.places import home
from tools.workspace import labels as label
from tools.workspace.disk_usage import size_bytes
from tools.workspace.engine import Engine
from tools.workspace.layers.sizes import Sized, Weighed, weigh

MB = 1_000_000
DAY_S = 86_400


@click.command("ls")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(as_json: bool) -> None:
    """Lists the images we made.

    OWN is what an image adds to the one it stands on. FREES is what removing it alone would free:
    nothing while others stand on it. The last lines count everything once, and what lies in the
    state directory (AGENT_RUNNER_HOME).
    """
    with reporting_faults():
        weighed, kept = asyncio.run(_gather())
    if as_json:
        images = [row(one) for one in weighed.images]
        report = {"images": images, "total_bytes": weighed.total_bytes, "home_bytes": kept}
        click.echo(json.dumps(report))
        return
    now_s = time.time()
    if weighed.images:
        click.echo(f"{'LAYER':<12} {'OWN':>8} {'FREES':>8} {'SIZE':>8} {'AGE':>6}  NAME")
    for one in weighed.images:
        sizes = (one.own_bytes, one.unshared_bytes, one.image.size_bytes)
        columns = " ".join(f"{size // MB:>5} MB" for size in sizes)
        age = f"{max(0, now_s - one.created_s) / DAY_S:.1f} d"
        click.echo(f"{one.layer:<12} {columns} {age:>6}  {one.name}")
    if not weighed.images:
        click.echo("no images yet: `images build`, or any run, makes them", err=True)
    click.echo(f"images together: {weighed.total_bytes // MB} MB", err=True)
    held = ", ".join(f"{name} {size // MB} MB" for name, size in kept.items()) or "empty"
    click.echo(f"{home()}: {held}", err=True)


def row(one: Sized) -> dict[str, str | int]:
    """For `--json`."""
    return {
        "layer": one.layer,
        "tag": one.name,
        "size_bytes": one.image.size_bytes,
        "own_bytes": one.own_bytes,
        "shared_bytes": one.shared_bytes,
        "unshared_bytes": one.unshared_bytes,
        "key": one.image.labels.get(label.KEY, ""),
        "created_s": one.created_s,
        "containers": one.containers,
    }


async def _gather() -> tuple[Weighed, dict[str, int]]:
    async with Engine() as engine:
        weighed = await weigh(engine)
    return weighed, await asyncio.to_thread(_held, home())


def _held(state: Path) -> dict[str, int]:
    """What each part of the state directory takes on disk."""
    if not state.is_dir():
        return {}
    return {path.name: size_bytes(path) for path in sorted(state.iterdir()) if path.is_dir()}
