"""A seed with its reference patch, from the command line to the verdict."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from agent_runner.benchmarks.seeds import tasks_file
from agent_runner.config import RunConfig
from agent_runner.environments.plan import plan
from agent_runner.task import Located, find_task, locate
from tests.bench.process import AGENT_RUNNER, NotMeasured, timed
from tests.bench.row import Row, by_turns
from tests.bench.setting import BASELINE, SEED, Setting, read_result
from tools.workspace.base_image import find_base
from tools.workspace.engine import Engine
from tools.workspace.layers import base_key, instance_key, instance_tag
from tools.workspace.mirrors import open_mirror

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
        built, baseline = await by_turns(
            1,
            {
                "--solver gold": lambda: _gold(setting, "--tasks", str(tasks), home=home),
                BASELINE: setting.docker_run,
            },
        )
    finally:
        removed = await _remove_layers(located, home)
        shutil.rmtree(home / "mirrors", ignore_errors=True)
    if not removed:
        raise NotMeasured("the layers it built have other keys: the code changed meanwhile")
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


async def _remove_layers(located: Located, home: Path) -> bool:
    """Removes the two images by their tags, computed as a run does; whether both were there."""
    async with Engine() as engine:
        base = await find_base(engine, located.task.python or RunConfig().images.python)
        if base is None:
            return False
        ref = located.task.ref
        mirror = await open_mirror(located.source, ref, home, timeout_s=60)
        environment = (await plan(mirror, ref, located.task, base.python)).environment
        key = instance_key(base.image, environment, mirror.source, ref)
        below = f"agent_runner/env:py{base.python}-{environment.key(base_key(base.image))}"
        tags = (instance_tag(ref, mirror.source, key), below)
        there = [await engine.image(tag) is not None for tag in tags]
        for tag in tags:
            await engine.remove_image(tag)
    return all(there)


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
