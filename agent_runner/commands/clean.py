"""`clean`: removes what runs that died left in the engine."""

import asyncio
import json
from pathlib import Path

import click

from agent_runner.commands.report_faults import reporting_faults
from agent_runner.run_dir import RunDir
from tools.workspace.container import remove
from tools.workspace.engine import Engine
from tools.workspace.leftovers import Labelled, containers, sweep


@click.command()
@click.argument("run_dir", required=False, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Also what is kept, and what is alive.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(run_dir: Path | None, everything: bool, as_json: bool) -> None:
    """Removes containers of runs that died, and those of RUN_DIR if it is named.

    What is alive stays, and so does what --keep left, unless it is of RUN_DIR.
    """
    run = RunDir(run_dir).run_id if run_dir else None
    with reporting_faults():
        gone = asyncio.run(_sweep(run, everything))
    if as_json:
        rows = [{"id": row.id, "run": row.run, "role": row.role} for row in gone]
        click.echo(json.dumps({"removed": rows}))
        return
    for row in gone:
        click.echo(f"removed {row.role} container {row.id[:12]} of run {row.run}", err=True)
    click.echo(f"{len(gone)} removed", err=True)


async def _sweep(run: str | None, everything: bool) -> list[Labelled]:
    async with Engine() as engine:
        named = await containers(engine, run) if run else []
        for row in named:
            await remove(engine, row.id)
        return named + await sweep(engine, everything=everything)
