"""From a task to the image its workspace starts from: mirror, environment, instance."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent_runner.config import RunConfig
from agent_runner.environments.plan import Planned, plan
from agent_runner.errors import FaultKind, InfraFault, UsageError
from agent_runner.grading.attempt import InvalidTask
from agent_runner.observer import Observer
from agent_runner.stages import Stages
from agent_runner.task import Located, Task
from tools.workspace import layers
from tools.workspace.base_image import Base, build_base, find_base
from tools.workspace.builder import Builder
from tools.workspace.engine import Engine
from tools.workspace.git import GitError, git
from tools.workspace.init_volume import init_volume
from tools.workspace.mirrors import Mirror, UnknownRef, mirror_path, open_mirror
from tools.workspace.scratch import scratch

MB = 1_000_000
# What building needs at most beside what stays, from measured layers of the public data sets.
NEEDED_MB = {"base image": 900, "environment and instance layer": 2000}


@dataclass(frozen=True)
class Prepared:
    """Everything a workspace is made from.

    Attributes:
        init: the volume with the init of its containers.
        hidden_blobs: git's hash of each file of `test_patch` as the patch makes it.
    """

    located: Located
    mirror: Mirror
    commit: str
    planned: Planned
    instance: layers.Instance
    builder: Builder
    init: str
    hidden_blobs: Mapping[str, str]


async def prepare(
    engine: Engine, config: RunConfig, located: Located, *, run: str, home: Path,
    stages: Stages, observer: Observer,
) -> Prepared:  # fmt: skip
    """Brings mirror and layers up to date; what is there costs next to nothing.

    Raises:
        InfraFault: mirror, index, disk or engine; UsageError: the ref does not exist;
            InvalidTask: its test_patch does not apply.
    """
    builder = Builder(
        engine, run, home, dict(os.environ), observer.step, timeout_s=config.limits.build_s
    )
    task = located.task
    with stages.stage("mirror"):
        mirror, commit = await _mirror(located, home, config, observer)
        try:
            blobs = await _hidden_blobs(mirror, commit, task)
        except GitError as error:
            raise InvalidTask(f"test_patch does not apply to the base: {error}") from error
    with stages.stage("image"):
        base = await _base(builder, task.python or config.images.python, config, observer)
        if task.python and base.python != task.python:
            message = f"the task wants Python {task.python}; only {base.python} can be had here"
            raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message)
        await _check_test_paths(mirror, commit, task)
        planned = await plan(mirror, commit, task, base.python)
        async with _beside(init_volume(builder, base.image)) as filling:
            instance = await layers.find_instance(
                engine, base.image, planned.environment, mirror.source, commit
            )
            if instance is None:
                await check_disk(engine, config, "environment and instance layer")
                with observer.waiting(f"building the layers of {task.task_id}"):
                    instance = await layers.build_instance(
                        builder, base.image, planned.environment, mirror, commit
                    )
            init = await filling
    return Prepared(located, mirror, commit, planned, instance, builder, init, blobs)


@asynccontextmanager
async def _beside(work: Coroutine[None, None, str]) -> AsyncIterator[asyncio.Task[str]]:
    """Does something beside the block, and no longer than it."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _mirror(
    located: Located, home: Path, config: RunConfig, observer: Observer
) -> tuple[Mirror, str]:
    ref = located.task.ref or "HEAD"
    try:
        opening = open_mirror(located.source, ref, home, timeout_s=config.limits.mirror_s)
        if mirror_path(located.source, home).exists():
            mirror = await opening
        else:
            with observer.waiting(f"mirroring {located.task.repo}"):
                mirror = await opening
        return mirror, await mirror.commit_of(ref)
    except UnknownRef as error:
        raise UsageError(f"{located.task.repo} has no ref {ref!r}") from error


async def _check_test_paths(mirror: Mirror, commit: str, task: Task) -> None:
    """Visible tests that are asked for must be there.

    Raises:
        UsageError: one is not.
    """
    if task.tests_are_hidden or not task.test_paths:
        return
    there = await mirror.paths(commit)
    for name in task.test_paths:
        path = name.partition("::")[0].strip("/")
        if path != "." and not any(f"{file}/".startswith(f"{path}/") for file in there):
            raise UsageError(f"{task.repo} has no {path} at {task.ref or 'HEAD'}")


async def _base(builder: Builder, python: str, config: RunConfig, observer: Observer) -> Base:
    found = await find_base(builder.engine, python)
    if found is None:
        await check_disk(builder.engine, config, *NEEDED_MB)
        with observer.waiting(f"building the base image for Python {python} (once)"):
            found = await build_base(builder, python)
    return found


async def check_disk(engine: Engine, config: RunConfig, *parts: str) -> None:
    """Refuses to build what cannot fit, with the arithmetic; a remote engine's disk is not seen.

    Raises:
        InfraFault: `host_disk_full`.
    """
    if not engine.is_local:
        return
    root = (await engine.facts()).root
    free_mb = shutil.disk_usage(root).free // MB
    needed_mb = sum(NEEDED_MB[part] for part in parts)
    wanted_mb = max(needed_mb, config.images.min_free_mb)
    if free_mb < wanted_mb:
        sums = " + ".join(f"{NEEDED_MB[part]} MB for the {part}" for part in parts)
        message = (
            f"{root} has {free_mb} MB free; {wanted_mb} MB are needed ({sums}; "
            f"images.min_free_mb={config.images.min_free_mb}). `agent_runner clean` or "
            "`docker image prune` may make room"
        )
        raise InfraFault(FaultKind.HOST_DISK_FULL, message)


async def _hidden_blobs(mirror: Mirror, commit: str, task: Task) -> dict[str, str]:
    """Applies `test_patch` in an index of its own and reads the hashes of what it changes."""
    if not task.test_patch:
        return {}
    with scratch() as own:
        env = {
            "GIT_INDEX_FILE": f"{own}/index",
            "GIT_OBJECT_DIRECTORY": f"{own}/objects",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(mirror.path / "objects"),
        }
        (own / "objects").mkdir()
        await git("read-tree", commit, cwd=mirror.path, env=env)
        await git(
            "apply", "--cached", "-", cwd=mirror.path, env=env, stdin=task.test_patch.encode()
        )
        changed = await git(
            "diff", "--cached", "--raw", "--no-abbrev", "-z", "--no-renames", commit,
            cwd=mirror.path, env=env,
        )  # fmt: skip
    fields = changed.decode("utf-8", "surrogateescape").split("\0")
    pairs = zip(fields[::2], fields[1::2], strict=False)
    return {path: facts.split()[3] for facts, path in pairs if facts.split()[4] != "D"}
