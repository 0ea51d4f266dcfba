"""`shell`: a shell in the workspace that a run with --keep left."""

import asyncio
import os
import shutil
from pathlib import Path

import click

from agent_runner.commands.report_faults import reporting_faults
from agent_runner.errors import UsageError
from agent_runner.run_dir import RunDir
from tools.workspace.engine import Engine
from tools.workspace.leftovers import Labelled, containers
from tools.workspace.spec import ENV, LINK

FALLBACK = 'command -v bash >/dev/null && exec bash "$@" || exec sh "$@"'


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("run_dir", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("line", nargs=-1, type=click.UNPROCESSED)
def command(run_dir: Path, line: tuple[str, ...]) -> None:
    """Opens a shell in the workspace of RUN_DIR, or runs LINE there.

    Only a run with --keep leaves its workspace; `clean RUN_DIR` removes it.
    """
    with reporting_faults():
        found = asyncio.run(_find(RunDir(run_dir).run_id))
    if found is None:
        raise UsageError(f"{run_dir} has no workspace any more; run it with --keep")
    docker = shutil.which("docker")
    if docker is None:
        raise UsageError(f"no docker client here to attach with; the container is {found.id[:12]}")
    env = [part for name, value in ENV.items() for part in ("-e", f"{name}={value}")]
    if line:
        argv = [docker, "exec", "-i", *env, "-w", LINK, found.id, *line]
    else:
        terminal = "-it" if os.isatty(0) else "-i"
        shell = ("/bin/sh", "-c", FALLBACK, "sh")
        argv = [docker, "exec", terminal, *env, "-e", "TERM=xterm", "-w", LINK, found.id, *shell]
    os.execv(docker, argv)


async def _find(run: str) -> Labelled | None:
    async with Engine() as engine:
        rows = await containers(engine, run)
    return next((row for row in rows if row.kept and row.running), None)
