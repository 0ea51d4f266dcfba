"""From a configuration to a batch that can run: everything is checked before anything starts."""

import os
from collections.abc import Sequence
from pathlib import Path

from agent_runner.batch.directory import (
    CONFIG,
    BatchDir,
    TaskLine,
    new_batch_dir,
    new_batch_path,
    task_lines,
)
from agent_runner.batch.identity import Facts, differences, facts_of
from agent_runner.batch.plan import Plan, plan_of
from agent_runner.batch.select import select
from agent_runner.batch.settings import BatchConfig, SeedTasks
from agent_runner.benchmarks import seeds
from agent_runner.config import Layer, dump, read_layer, resolve_as
from agent_runner.errors import UsageError
from agent_runner.model import choose
from agent_runner.places import found
from agent_runner.prompts import render
from agent_runner.provider.profile import Prices
from agent_runner.write_whole import write_whole

AGENTS = ("agent", "replay")
SHOWN = 5
# Of a model's profile, what a reply does not hang on.
NOT_SENT = {
    "name", "base_url", "key_env", "timeout_s", "prices", "requests_per_minute", "max_in_flight",
}  # fmt: skip


def configured(layers: Sequence[Layer]) -> BatchConfig:
    """The configuration of layers, lowest first; the seeds bring the limits they are made for.

    Raises:
        UsageError: a key or a value is wrong.
    """
    config = resolve_as(BatchConfig, layers)
    if isinstance(config.tasks.source, SeedTasks):
        config = resolve_as(BatchConfig, [{"limits": seeds.LIMITS}, *layers])
    return config


def begin(config: BatchConfig, slug: str, out: Path | None) -> Plan:
    """A new batch, in a directory of its own.

    Raises:
        UsageError: nothing was started: no task is selected, or one lacks what the solver needs,
            there is no model or key, the prompt or the directory is wrong.
        InfraFault: the data set's server does not answer.
    """
    path = new_batch_path(slug, out)
    lines = task_lines(select(config.tasks))
    facts, prices = _checked(config, lines)
    directory = new_batch_dir(path, facts, lines, dump(config))
    return plan_of(directory, config, facts, lines, prices)


def resume(path: Path, changes: Sequence[Layer]) -> tuple[Plan, list[str]]:
    """A batch that was begun, and what of its configuration is not as it was.

    Limits, concurrency, executor, retries and what is kept may change, nothing else.

    Raises:
        UsageError: it is no batch, or what may not change has changed; the difference is shown.
    """
    directory = BatchDir(path.resolve())
    before, lines = directory.facts(), directory.tasks()
    old = read_layer(directory.path / CONFIG)
    config = configured([old, *changes])
    now, prices = _checked(config, lines)
    wrong = differences(before, now)
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise UsageError(
            f"{path} was begun with something else: {'; '.join(wrong[:SHOWN])}{more}; what is not "
            "the same batch needs a directory of its own"
        )
    changed = differences(resolve_as(BatchConfig, [old]), config)
    if changed:
        write_whole(directory.path / CONFIG, dump(config).encode())
    return plan_of(directory, config, now, lines, prices), changed


def _checked(config: BatchConfig, lines: Sequence[TaskLine]) -> tuple[Facts, Prices | None]:
    """The facts of a batch whose tasks have what its solver needs, and its model's prices."""
    if config.solver == "gold":
        lacking = [line.task.task_id for line in lines if not line.task.patch]
        if lacking:
            raise UsageError(
                f"solver: gold needs a reference patch, and {', '.join(lacking[:SHOWN])} "
                f"({len(lacking)} of {len(lines)}) have none: see tasks.exclude"
            )
    if config.solver not in AGENTS:
        return facts_of(config), None
    prompt = found(config.prompt)
    for line in lines:
        render(prompt, line.task)
    if config.solver == "replay":
        return facts_of(config, None, prompt, _recordings(config, lines)), None
    profile = choose(config.of(lines[0].task.task_id, 1), os.environ).profile
    sent = profile.model_dump(mode="json", exclude=NOT_SENT)
    return facts_of(config, sent, prompt), profile.prices


def _recordings(config: BatchConfig, lines: Sequence[TaskLine]) -> set[Path]:
    """The files that a replay answers from, each of which can be read."""
    files = set()
    for line in lines:
        for attempt in range(1, config.attempts + 1):
            one = config.of(line.task.task_id, attempt)
            choose(one, os.environ)
            assert one.recording is not None  # or there was no choice
            files.add(found(one.recording))
    return files
