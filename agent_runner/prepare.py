"""From a task to the image its workspace starts from: mirror, environment, instance."""

import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent_runner.config import RunConfig
from agent_runner.environments.plan import Planned, environment_of, survey
from agent_runner.errors import UsageError
from agent_runner.grading.attempt import InvalidTask
from agent_runner.images.cache_level import Layers, layers_kept
from agent_runner.images.choose_instance import Wanted, choose_instance
from agent_runner.images.choose_python import choose_base
from agent_runner.images.disk_space import check_disk
from agent_runner.observer import Observer
from agent_runner.stages import Stages
from agent_runner.task import Located, Task
from tools.workspace.build.builder import Builder
from tools.workspace.engine import Engine
from tools.workspace.layers.base_image import Base, build_base, find_base
from tools.workspace.layers.init_volume import filled_volume, init_volume
from tools.workspace.layers.instance import Instance
from tools.workspace.repository.git import GitError, git
from tools.workspace.repository.mirrors import Mirror, UnknownRef, mirror_path, open_mirror
from tools.workspace.scratch import scratch
from tools.workspace.together import beside, together


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
    instance: Instance
    builder: Builder
    init: str
    hidden_blobs: Mapping[str, str]

    @property
    def head(self) -> str:
        """The commit the project is at: the base, or the published image's own changes on it."""
        return self.instance.head or self.commit


async def prepare(
    engine: Engine, config: RunConfig, located: Located, *, run: str, home: Path,
    stages: Stages, observer: Observer, layers: Layers | None = None,
) -> Prepared:  # fmt: skip
    """Brings mirror and layers up to date; what is there costs next to nothing.

    Args:
        layers: those of the run (`layers_kept`); without them they all stay, and nothing keeps
            another run from removing them.

    Raises:
        InfraFault: mirror, index, disk or engine; UsageError: the ref does not exist;
            InvalidTask: its test_patch does not apply.
    """
    builder = Builder(
        engine, run, home, dict(os.environ), observer.step, timeout_s=config.limits.build_s,
        packages_mb=config.images.package_cache_mb, init=await filled_volume(engine, home),
    )  # fmt: skip
    task = located.task
    with stages.stage("mirror"):
        mirror, commit = await mirror_of(located, home, config, observer)
    with stages.stage("image"):
        await _check_test_paths(mirror, commit, task)
        surveying = survey(
            mirror, commit, located, wanted=config.images.python, with_facts=config.images.facts
        )
        wish, blobs = await together(surveying, _hidden_blobs(mirror, commit, task))
        base = await choose_base(wish, partial(base_image, builder, config, observer))
        planned = environment_of(wish, base.python)
        wanted = Wanted(located, mirror, commit, base, planned)
        async with beside(init_volume(builder, base.image)) as filling, AsyncExitStack() as held:
            if layers is None:
                keeping = layers_kept(engine, "instance", home, observer)
                layers = await held.enter_async_context(keeping)
            instance = await choose_instance(builder, config, wanted, layers, observer)
            init = await filling
    return Prepared(located, mirror, commit, planned, instance, builder, init, blobs)


async def mirror_of(
    located: Located, home: Path, config: RunConfig, observer: Observer
) -> tuple[Mirror, str]:
    """The mirror of a task's repository and the full id of its base commit.

    Raises:
        InfraFault: `mirror_failed`; UsageError: there is no such ref.
    """
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


async def base_image(builder: Builder, config: RunConfig, observer: Observer, python: str) -> Base:
    """The base image for a Python, or the one that can be had in its place; built where missing.

    Raises:
        InfraFault: it cannot be built here.
    """
    found = await find_base(builder.engine, python)
    if found is None:
        await check_disk(builder.engine, config, base=True)
        with observer.waiting(f"building the base image for Python {python} (once)"):
            found = await build_base(builder, python)
    return found


async def _hidden_blobs(mirror: Mirror, commit: str, task: Task) -> dict[str, str]:
    """Applies `test_patch` in an index of its own and reads the hashes of what it changes.

    Raises:
        InvalidTask: it does not apply.
    """
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
        try:
            await git(
                "apply", "--cached", "-", cwd=mirror.path, env=env, stdin=task.test_patch.encode()
            )
        except GitError as error:
            raise InvalidTask(f"test_patch does not apply to the base: {error}") from error
        changed = await git(
            "diff", "--cached", "--raw", "--no-abbrev", "-z", "--no-renames", commit,
            cwd=mirror.path, env=env,
        )  # fmt: skip
    fields = changed.decode("utf-8", "surrogateescape").split("\0")
    pairs = zip(fields[::2], fields[1::2], strict=False)
    return {path: facts.split()[3] for facts, path in pairs if facts.split()[4] != "D"}
