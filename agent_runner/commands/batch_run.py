"""What `batch` does: from its options to the exit code."""

import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import click

from agent_runner.batch.begin import begin, configured, resume
from agent_runner.batch.display.view import BatchView
from agent_runner.batch.entry import Entry
from agent_runner.batch.events import BatchEnded
from agent_runner.batch.numbers.show import show
from agent_runner.batch.numbers.summary import Summary, summarise
from agent_runner.batch.numbers.write import kept_summary, write_summary
from agent_runner.batch.plan import DEFAULT_AGAIN, MISSING, Plan, Planned, take_up
from agent_runner.commands.report_faults import reporting_faults
from agent_runner.config import dump, parse_set, read_layer
from agent_runner.errors import UsageError
from agent_runner.imports import collector_paused
from agent_runner.observer import Observer
from agent_runner.result import Status

INTERRUPTED = 130
AGAIN = (MISSING, *Status)


@dataclass(frozen=True)
class Asked:
    """The options as they were given; either `config` or `begun` is there.

    Attributes:
        begun: the directory to go on in.
        only: statuses, separated by commas.
    """

    config: Path | None
    begun: Path | None
    only: str | None
    sets: tuple[str, ...]
    out: Path | None
    as_json: bool
    quiet: bool


def print_configuration(asked: Asked) -> None:
    """Prints the whole configuration to stdout.

    Raises:
        UsageError: a key or a value is wrong.
    """
    path = asked.begun / "config.yaml" if asked.begun else asked.config
    assert path is not None
    changes = [parse_set(text) for text in asked.sets]
    click.echo(dump(configured([read_layer(path), *changes])), nl=False)


def run(asked: Asked) -> int:
    """Runs the batch, or what is left of it, and returns the exit code.

    Raises:
        UsageError: something that was asked for is wrong; nothing was started.
    """
    changes = [parse_set(text) for text in asked.sets]
    again = _again(asked.only, asked.begun)
    with reporting_faults():
        if asked.begun is not None:
            if asked.out is not None:
                raise UsageError("--resume goes on in its own directory: leave out --out")
            plan, changed = resume(asked.begun, changes)
        else:
            assert asked.config is not None
            settings = configured([read_layer(asked.config), *changes])
            plan, changed = begin(settings, _slug(asked.config), asked.out), []
        try:
            return _run(plan, changed, again, asked)
        except UsageError:
            if asked.begun is None:
                shutil.rmtree(plan.directory.path)
            raise


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


def _run(plan: Plan, changed: list[str], again: Collection[str], asked: Asked) -> int:
    """Runs what there is to run, sums up, and returns the exit code."""
    directory = plan.directory
    with directory.locked(), (directory.path / "run.log").open("a", encoding="utf-8") as log:
        events = sys.stdout if asked.as_json else None
        view = BatchView(sys.stderr, events=events, log=log, quiet=asked.quiet)
        say = Observer(quiet=asked.quiet, log=log).say
        for line in changed:
            say(f"changed since it was begun: {line}")
        done, waiting = take_up(plan, again)
        began_s = time.monotonic()
        try:
            whole = not waiting or _ran(plan, done, waiting, view)
        finally:
            entries = directory.results.read() if waiting else done
            summary = _summed_up(plan, entries, is_new=bool(waiting))
        counts = Counter(entry.status for entry in entries)
        view.tell(BatchEnded(counts=counts, duration_s=round(time.monotonic() - began_s, 3)))
        if not asked.quiet:
            show(summary)
        say(f"batch directory: {directory.path}")
        if not whole:
            say(f"interrupted; to go on: agent_runner batch --resume {directory.path}")
            return INTERRUPTED
    return 0 if sum(entry.counts for entry in entries) == len(plan.episodes) else 3


def _ran(plan: Plan, done: list[Entry], waiting: list[Planned], view: BatchView) -> bool:
    """Runs it; False where it was interrupted."""
    with collector_paused():
        from agent_runner.commands.batch_episodes import run_episodes
    return run_episodes(plan, done, waiting, view)


def _summed_up(plan: Plan, entries: list[Entry], *, is_new: bool) -> Summary:
    """The summary and the predictions on the disk; a summary of these very results is kept."""
    directory = plan.directory
    summary = None if is_new else kept_summary(directory.path)
    if summary is None:
        summary = summarise(entries, len(plan.episodes))
        write_summary(directory.path, summary)
    directory.write_predictions(entries, plan.model_name)
    return summary
