"""A seed with its reference patch, from the command line to the verdict."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from agent_runner.benchmarks.seeds import tasks_file
from agent_runner.task import Located, find_task, locate
from tests.bench.own_layers import own_layers
from tests.bench.process import AGENT_RUNNER, NotMeasured, timed
from tests.bench.row import Row, by_turns
from tests.bench.setting import BASELINE, SEED, Setting, read_result

ROUNDS = 3
MUST_S = 5.0
MUST_FROM_BASE_S = 30.0
HOUR_S = 3600


async def measure(setting: Setting) -> list[Row]:
    """With the instance layer there, and with nothing there but the base image."""
    warm, baseline = await by_turns(
        ROUNDS,
        {"--solver gold": lambda: _gold(setting), BASELINE: setting.docker_run},
    )
    rows = [
        Row(
            what="a seed with gold, graded, instance layer there",
            must_s=MUST_S,
            measured=warm,
            baseline=baseline,
        )
    ]
    async with _own_state(setting) as home:
        # The same home twice: the first fills the package cache that the second finds.
        for cache in ("empty", "kept"):
            rows.append(await _from_base(setting, home, cache))
    return rows


async def _gold(setting: Setting, *options: str, home: Path | None = None) -> float:
    out = setting.new_run()
    env = {"AGENT_RUNNER_HOME": str(home)} if home else {}
    argv = (*AGENT_RUNNER, "--task-id", SEED, "--solver", "gold", "--out", str(out), *options)
    spent_s = await timed(*argv, env=env)
    if read_result(out).status != "resolved":
        raise NotMeasured(f"gold ended as {read_result(out).status}")
    return spent_s


async def _from_base(setting: Setting, home: Path, cache: str) -> Row:
    located = _of_its_own()
    tasks = setting.scratch / "tasks.jsonl"
    row = located.task.model_copy(update={"repo": located.source})
    tasks.write_text(row.model_dump_json(exclude_defaults=True) + "\n", encoding="utf-8")
    try:
        async with own_layers():
            built, baseline = await by_turns(
                1,
                {
                    "--solver gold": lambda: _gold(setting, "--tasks", str(tasks), home=home),
                    BASELINE: setting.docker_run,
                },
            )
    finally:
        shutil.rmtree(home / "mirrors", ignore_errors=True)
    return Row(
        what=f"nothing but the base image there, package cache {cache}",
        must_s=MUST_FROM_BASE_S,
        measured=built,
        baseline=baseline,
    )


def _of_its_own() -> Located:
    """The seed as of some seconds later: the same dependencies in layers nobody else uses."""
    seed = find_task(tasks_file(), SEED)
    later = datetime.fromisoformat(seed.created_at) + timedelta(seconds=1 + os.getpid() % HOUR_S)
    created_at = later.strftime("%Y-%m-%dT%H:%M:%SZ")
    task = seed.model_copy(update={"created_at": created_at})
    return locate(task, tasks_file().parent)


@asynccontextmanager
async def _own_state(setting: Setting) -> AsyncIterator[Path]:
    """An empty `AGENT_RUNNER_HOME`."""
    home = setting.scratch / "home"
    home.mkdir()
    try:
        yield home
    finally:
        # The package cache was written by root in a container, which this process may not be.
        empty = ("find", "/home", "-mindepth", "1", "-delete")
        mount = ("--volume", f"{home}:/home")
        await timed("docker", "run", "--rm", "--network", "none", *mount, setting.image, *empty)
