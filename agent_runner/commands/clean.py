"""`clean`: removes what runs that died left in the engine."""

import asyncio
import json

import click

from agent_runner.commands.report_faults import reporting_faults
from tools.workspace.engine import Engine
from tools.workspace.leftovers import Labelled, sweep


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also what is kept, and what is alive.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(everything: bool, as_json: bool) -> None:
    """Removes containers of runs that died; what is alive or kept (--keep) stays."""
    with reporting_faults():
        gone = asyncio.run(_sweep(everything))
    if as_json:
        rows = [{"id": row.id, "run": row.run, "role": row.role} for row in gone]
        click.echo(json.dumps({"removed": rows}))
        return
    for row in gone:
        click.echo(f"removed {row.role} container {row.id[:12]} of run {row.run}", err=True)
    click.echo(f"{len(gone)} removed", err=True)


async def _sweep(everything: bool) -> list[Labelled]:
    async with Engine() as engine:
        return await sweep(engine, everything=everything)
