"""`batch`: many tasks, many attempts, many at once; what was cut short goes on."""

import asyncio
import re
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import click

from agent_runner.batch.begin import begin, configured, resume
from agent_runner.batch.events import BatchEnded
from agent_runner.batch.numbers.show import show
from agent_runner.batch.numbers.summary import summarise
from agent_runner.batch.numbers.write import write_summary
from agent_runner.batch.plan import DEFAULT_AGAIN, MISSING, Plan, Planned, take_up
from agent_runner.batch.remains import spent_by
from agent_runner.batch.run import Batch, started
from agent_runner.batch.view import BatchView
from agent_runner.commands.report_faults import reporting_faults
from agent_runner.config import dump, parse_set, read_layer
from agent_runner.errors import UsageError
from agent_runner.executors.local import LocalExecutor
from agent_runner.observer import Observer
from agent_runner.result import Status

INTERRUPTED = 130
AGAIN = (MISSING, *Status)
EPILOG = """\b
Examples:
  agent_runner batch configs/seeds.yaml --set solver=gold
  agent_runner batch configs/swebench-lite.yaml --set model=kimi --set tasks.limit=20 --out lite
  agent_runner batch --resume lite --set limits.batch_cost_usd=40
  agent_runner batch --resume lite --only unresolved

The directory holds episodes/<task>.<attempt>/ (a run directory each), results.jsonl (a line the
moment an episode ends), preds.jsonl, summary.json and config.yaml; tries/ has the tries that the
world or the provider ended.

Exit codes: 0 every episode has a verdict; 2 the command line or a YAML is wrong, or --resume is of
another batch; 3 an episode has none (engine, disk, network, provider, an invalid task, a limit of
the batch); 130 interrupted. --resume goes on from whatever is on disk."""


@click.command(epilog=EPILOG)
@click.argument("config", required=False, type=click.Path(path_type=Path))
@click.option("--resume", "begun", type=click.Path(path_type=Path), help="Go on with this batch.")
@click.option(
    "--only", metavar="STATUS,...",
    help="With --resume: run again what ended so, and nothing else; `missing` is what did not. "
    "[missing,infra_error,provider_error]",
)  # fmt: skip
@click.option("--set", "sets", multiple=True, metavar="KEY.SUB=VALUE", help="One setting.")
@click.option(
    "--out", type=click.Path(path_type=Path),
    help="The directory; must be new. [sandbox/runs/<time>-<config>]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Events on stdout, one JSON object a line.")
@click.option("--quiet", is_flag=True, help="Nothing on stderr but what went wrong.")
@click.option("--print-config", is_flag=True, help="Print the whole configuration; run nothing.")
def command(
    config: Path | None, begun: Path | None, only: str | None, sets: tuple[str, ...],
    out: Path | None, as_json: bool, quiet: bool, print_config: bool,
) -> None:  # fmt: skip
    """Runs many tasks, many attempts, many at once, and says what came of them.

    It can be killed at any moment: --resume runs exactly what is missing, was interrupted, or
    failed for reasons of the world or the provider.
    """
    if (config is None) == (begun is None):
        raise UsageError("name one configuration, or a batch that was begun with --resume DIR")
    changes = [parse_set(text) for text in sets]
    if print_config:
        path = begun / "config.yaml" if begun else config
        assert path is not None
        click.echo(dump(configured([read_layer(path), *changes])), nl=False)
        return
    again = _again(only, begun)
    with reporting_faults():
        if begun is not None:
            if out is not None:
                raise UsageError("--resume goes on in its own directory: leave out --out")
            plan, changed = resume(begun, changes)
        else:
            assert config is not None
            settings = configured([read_layer(config), *changes])
            plan, changed = begin(settings, _slug(config), out), []
        try:
            code = _run(plan, changed, again, as_json=as_json, quiet=quiet)
        except UsageError:
            if begun is None:
                shutil.rmtree(plan.directory.path)
            raise
        raise click.exceptions.Exit(code)


def _again(only: str | None, begun: Path | None) -> Collection[str]:
    if only is None:
        return DEFAULT_AGAIN
    if begun is None:
        raise UsageError("--only belongs to --resume")
    chosen = [name.strip() for name in only.split(",") if name.strip()]
    for name in chosen:
        if name not in AGAIN:
            raise UsageError(f"--only {name}: expected some of {', '.join(AGAIN)}")
    return frozenset(chosen)


def _slug(config: Path) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", config.stem).strip("-.")[:60] or "batch"


def _run(
    plan: Plan, changed: list[str], again: Collection[str], *, as_json: bool, quiet: bool
) -> int:
    """Runs what there is to run, sums up, and returns the exit code."""
    directory = plan.directory
    with directory.locked(), (directory.path / "run.log").open("a", encoding="utf-8") as log:
        view = BatchView(sys.stderr, events=sys.stdout if as_json else None, log=log, quiet=quiet)
        say = Observer(quiet=quiet, log=log).say
        for line in changed:
            say(f"changed since it was begun: {line}")
        done, waiting = take_up(plan, again)
        spent = spent_by([*done, *directory.tries.read()])
        executor = LocalExecutor(plan.config.executor, plan.config.limits, view.tell, spent)
        batch = Batch(plan, executor, view.tell, done)
        began_s = time.monotonic()
        try:
            whole = not waiting or _ran(batch, waiting, view)
        finally:
            summary = summarise(batch.entries, len(plan.episodes))
            write_summary(directory.path, summary)
            directory.write_predictions(batch.entries, plan.model_name)
        counts = Counter(entry.status for entry in batch.entries)
        view.tell(BatchEnded(counts=counts, duration_s=round(time.monotonic() - began_s, 3)))
        if not quiet:
            show(summary)
        say(f"batch directory: {directory.path}")
        if not whole:
            say(f"interrupted; to go on: agent_runner batch --resume {directory.path}")
            return INTERRUPTED
    return 0 if sum(entry.counts for entry in batch.entries) == len(plan.episodes) else 3


def _ran(batch: Batch, waiting: list[Planned], view: BatchView) -> bool:
    """Runs it; False where Ctrl-C or SIGTERM cut it short."""

    async def interruptible() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        async with batch.executor:
            capacity = await batch.executor.capacity()
            with view.shown():
                view.tell(started(batch, capacity))
                await batch.run(waiting, capacity.episodes)

    try:
        with asyncio.Runner() as runner:
            runner.run(interruptible())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return False
    return True
