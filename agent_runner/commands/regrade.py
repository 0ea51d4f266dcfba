"""`regrade`: the verdicts of saved logs, by the rules of today."""

import asyncio
import os
from pathlib import Path

import click

from agent_runner.commands.report_faults import reporting_faults
from agent_runner.errors import UsageError
from agent_runner.evaluation.again import grade_again
from agent_runner.evaluation.directory import GradeDir
from agent_runner.evaluation.summary import summarise
from agent_runner.evaluation.work import named

EPILOG = """\b
Example:
  agent_runner regrade graded

Nothing is started: no container, no engine. The reports are written anew, and what changed is
named. Exit code 0, or 2 where DIR is not what `grade` writes."""


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object on stdout.")
def command(directory: Path, as_json: bool) -> None:
    """Reads the logs that `grade` saved in DIR again, and writes its reports anew.

    For a new version of the parsers: what took hours of tests takes seconds.
    """
    graded = GradeDir(directory.resolve())
    facts = graded.facts()
    if facts is None:
        raise UsageError(f"{directory} is not what `grade` writes: it has no run.json")
    with reporting_faults(), graded.locked():
        changes = asyncio.run(grade_again(graded, facts, os.cpu_count() or 1))
        summary = summarise(graded, facts)
    click.echo(f"read {changes.read} logs again, {len(changes.changed)} changed", err=True)
    for change in changes.changed:
        click.echo(f"changed: {change}", err=True)
    if changes.without_log:
        click.echo(f"nothing to read for {named(changes.without_log)}", err=True)
    click.echo(summary.model_dump_json() if as_json else "\n".join(summary.lines()))
