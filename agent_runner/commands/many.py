"""What `images build` and `images pull` show: a display while they work, and how it went."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from agent_runner.images.build_many import Outcome, Progress
from agent_runner.screen.steps import StepsView


@contextmanager
def shown(count: int) -> Iterator[Progress]:
    """What each worker is at, and a line for each task that is over."""
    view = StepsView(count)

    def done(outcome: Outcome) -> None:
        view.over(
            outcome.task_id, outcome.state, line(outcome), is_news=outcome.state != "there"
        )  # fmt: skip

    with view.shown():
        yield Progress(view.step, done)


def line(outcome: Outcome) -> str:
    """An outcome in one line."""
    text = f"{outcome.task_id} {outcome.state} {outcome.duration_s:.1f} s"
    return f"{text}: {outcome.kind}: {outcome.message[:200]}" if outcome.kind else text


def report(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """What came of it: counts, and a table of what failed and why. Exit 3 if any did."""
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if as_json:
        rows = [
            {name: value for name, value in asdict(one).items() if name != "trace"}
            | {"duration_s": round(one.duration_s, 3)}
            for one in outcomes
        ]
        click.echo(json.dumps({"tasks": rows}))
    for outcome in failed:
        if outcome.trace:
            click.echo(f"{outcome.task_id}: a bug of agent_runner\n{outcome.trace}", err=True)
    if failed:
        table = Table("task", "failed with", "why", box=None, pad_edge=False)
        for outcome in failed:
            table.add_row(outcome.task_id, outcome.kind, outcome.message[-400:])
        Console(stderr=True, markup=False, highlight=False).print(table)
    counts = {
        state: sum(one.state == state for one in outcomes) for state in ("built", "there", "failed")
    }
    text = f"{counts['built']} built, {counts['there']} were there, {counts['failed']} failed"
    click.echo(text, err=True)
    if failed:
        sys.exit(3)
