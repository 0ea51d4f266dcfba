"""`images prune`: layers that nothing uses."""

import asyncio
import json
import re
import time
from dataclasses import asdict

import click

from agent_runner.commands.report_faults import reporting_faults
from agent_runner.errors import UsageError
from agent_runner.images.prune import LEVELS, Gone, prune
from agent_runner.places import home
from tools.workspace.engine import Engine

MB = 1_000_000
UNITS_S = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
EPILOG = """\b
Examples:
  images prune --dry-run                         what would go
  images prune --level instance --older-than 7d  instances no run used for a week
  images prune --level env                       instances and environments; repositories stay
  images prune --level base                      everything of ours"""


@click.command("prune", epilog=EPILOG)
@click.option(
    "--level",
    type=click.Choice(list(LEVELS)),
    help="All of this kind and whatever stands on it. [only what no instance stands on]",
)
@click.option("--older-than", metavar="7d", help="Only what no run used that long (m, h, d, w).")
@click.option("--dry-run", is_flag=True, help="Say what would go, and let it stay.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(level: str | None, older_than: str | None, dry_run: bool, as_json: bool) -> None:
    """Removes layers that nothing uses, and init volumes of earlier versions.

    What a run works with stays, and so does every image that we did not make.
    """
    older_s = time.time() - (_seconds(older_than) if older_than else 0)
    with reporting_faults():
        gone = asyncio.run(_prune(level, older_s, dry_run))
    freed_bytes = sum(one.freed_bytes for one in gone)
    if as_json:
        rows = [asdict(one) for one in gone]
        click.echo(json.dumps({"removed": rows, "freed_bytes": freed_bytes, "dry_run": dry_run}))
        return
    word = "would go" if dry_run else "removed"
    for one in gone:
        click.echo(f"{word}  {one.kind:<12} {one.freed_bytes // MB:>5} MB  {one.name}")
    click.echo(f"{len(gone)} {word}, {freed_bytes // MB} MB", err=True)


async def _prune(level: str | None, older_s: float, dry_run: bool) -> list[Gone]:
    async with Engine() as engine:
        return await prune(engine, home(), level, older_s, dry_run=dry_run)


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+)([mhdw])", text)
    if match is None:
        raise UsageError(f"--older-than {text}: a number and m, h, d or w, as in 7d")
    return int(match[1]) * UNITS_S[match[2]]
