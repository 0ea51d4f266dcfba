"""What `images build` and `images pull` show: a display while they work, and how it went."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from agent_runner.images.build_many import Outcome, Progress


@contextmanager
def shown(count: int) -> Iterator[Progress]:
    """On a terminal bars with what each worker is at, elsewhere a line per task."""
    console = Console(stderr=True)
    over = 0

    def line(outcome: Outcome) -> str:
        text = f"{outcome.task_id} {outcome.state} {outcome.duration_s:.1f} s"
        return f"{text}: {outcome.kind}: {outcome.message[:200]}" if outcome.kind else text

    if not console.is_terminal:

        def done(outcome: Outcome) -> None:
            nonlocal over
            over += 1
            click.echo(f"[{over}/{count}] {line(outcome)}", err=True)

        yield Progress(lambda task_id, text: None, done)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn(), TextColumn("{task.fields[step]}"))  # fmt: skip
    with Bars(*columns, console=console) as bars:
        everything = bars.add_task("layers", total=count, step="")
        rows: dict[str, int] = {}

        def step(task_id: str, text: str) -> None:
            if task_id not in rows:
                rows[task_id] = int(bars.add_task(f"  {task_id}", total=None, step=text))
            bars.update(rows[task_id], step=text[:60])  # type: ignore[arg-type]

        def finished(outcome: Outcome) -> None:
            if outcome.task_id in rows:
                bars.remove_task(rows.pop(outcome.task_id))  # type: ignore[arg-type]
            bars.advance(everything)
            if outcome.state != "there":
                bars.console.print(line(outcome), markup=False, highlight=False)

        yield Progress(step, finished)


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
