"""The layers a workspace starts from: base -> tools -> repository -> environment -> instance.

The repository's part lies below the environment: it is the larger, and many environments share it.
Where much has happened since, a layer of what is recent in it lies between the last two.

Each has a key made of the content that determines it, so that a rebuild has the same one; what is
there is never built again.
"""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tools.workspace import labels as label
from tools.workspace.build.build_container import BuildContainer
from tools.workspace.build.builder import Builder
from tools.workspace.engine import Engine, Image
from tools.workspace.layers.environment_layer import (
    environment_layer,
    known_resolution,
    tools_layer,
)
from tools.workspace.layers.other_copies import remove_other_copies
from tools.workspace.layers.repository_layer import Below, advance, project_name, repository_layer
from tools.workspace.packages.editable import Backend, backend_of
from tools.workspace.packages.environment import EnvironmentPlan
from tools.workspace.packages.ground import base_key
from tools.workspace.packages.install import (
    hide_build_products,
    install_project,
    install_with_index,
)
from tools.workspace.repository.checkpoints import Cuts, cuts
from tools.workspace.repository.history import Step, allowed_digest, step, tags_before
from tools.workspace.repository.mirrors import Mirror
from tools.workspace.scratch import scratch
from tools.workspace.together import beside, together

Install = Callable[[BuildContainer, Backend], Coroutine[None, None, bool]]

RECIPE = "3"  # raised when what is done on top of an environment changes
OBJECTS = "agent_runner.objects_sha256"
ENVIRONMENT = "agent_runner.environment"
RECENT = "recent"
COMMIT = "agent_runner.commit"
HEAD = "agent_runner.head"
PUBLISHED = "agent_runner.published_digest"


@dataclass(frozen=True)
class Instance:
    """A repository at its commit, installed, ready to start from.

    Attributes:
        tag: the image's name.
        key: of the content that determines it.
        objects_sha256: what the history in it may hold (`history.objects_digest`).
        built: whether it had to be built now.
    """

    tag: str
    key: str
    image: Image
    built: bool

    @property
    def objects_sha256(self) -> str:
        """The digest of the objects its history may hold, as recorded when it was built."""
        return self.image.labels[OBJECTS]

    @property
    def environment(self) -> str:
        """The tag of the environment layer below: everything but the project."""
        return self.image.labels[ENVIRONMENT]

    @property
    def head(self) -> str:
        """The commit its tree is at where that is not the base itself; else ""."""
        return self.image.labels.get(HEAD, "")

    @property
    def digest(self) -> str:
        """What was pulled, as `repository@sha256:...`; the image's own id where it was built."""
        return self.image.labels.get(PUBLISHED) or self.image.id


def instance_key(base: Image, plan: EnvironmentPlan, source: str, commit: str) -> str:
    """What determines an instance layer, hashed."""
    parts = (plan.key(base_key(base)), RECIPE, source, commit)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def instance_tag(commit: str, source: str, key: str) -> str:
    """The name of an instance image."""
    return f"agent_runner/instance:{project_name(source)}-{commit[:8]}-{key}"


async def find_instance(
    engine: Engine, base: Image, plan: EnvironmentPlan, source: str, commit: str
) -> Instance | None:
    """The instance layer, where it is there."""
    key = instance_key(base, plan, source, commit)
    tag = instance_tag(commit, source, key)
    image = await engine.image(tag)
    return Instance(tag, key, image, built=False) if image else None


async def build_instance(
    builder: Builder, base: Image, plan: EnvironmentPlan, mirror: Mirror, commit: str
) -> Instance:
    """Builds the instance layer, and those below it where they are missing.

    Raises:
        InfraFault: `index_unreachable`, `host_disk_full`, `stage_timeout`, `image_unavailable`.
    """
    key = instance_key(base, plan, mirror.source, commit)
    tag = instance_tag(commit, mirror.source, key)
    async with builder.locked(key), builder.leaving_behind() as making:
        image = await builder.engine.image(tag)
        if image is not None:
            return Instance(tag, key, image, built=False)
        cut = await cuts(mirror, commit)
        with scratch() as own:
            # The host's git works it out while the engine builds what lies below.
            async with (
                beside(_history(mirror, commit, cut.last, own)) as history,
                beside(_objects(mirror, commit, history)) as objects,
            ):
                below = await _below(making, base, plan, mirror, commit, cut)
                labels = {label.KEY: key}
                image = await _on_top(making, plan, below, history, objects, tag, labels)
        await builder.trim_packages()
    return Instance(tag, key, image, built=True)


@dataclass(frozen=True)
class _History:
    """What comes on top of the last cut, and what installs it."""

    step: Step
    tags: tuple[str, ...]
    backend: Backend


async def _history(mirror: Mirror, commit: str, since: str, own: Path) -> _History:
    tags = await tags_before(mirror, commit)
    made = step(mirror, commit, own, since=since, tags=tags)
    found, pyproject = await together(made, mirror.file(commit, "pyproject.toml"))
    return _History(found, tags, backend_of((pyproject or b"").decode("utf-8", "replace")))


async def _objects(mirror: Mirror, commit: str, history: asyncio.Task[_History]) -> str:
    """What the whole may hold; after the rest, since nobody waits for it before the end."""
    return await allowed_digest(mirror, commit, (await history).tags)


@dataclass(frozen=True)
class _Ground:
    """What an instance is put on: the environment, or what of the history is recent on it."""

    image: Image
    environment: Image


async def _below(
    builder: Builder, base: Image, plan: EnvironmentPlan, mirror: Mirror, commit: str, cut: Cuts
) -> _Ground:
    below = Below(await tools_layer(builder, base, plan))
    for checkpoint in cut.shared:
        below = await repository_layer(builder, below, mirror, checkpoint)
    if not cut.recent:
        environment = await environment_layer(builder, below.image, plan, mirror, commit)
        return _Ground(environment, environment)
    async with AsyncExitStack() as stack:
        packing = None
        # Where a new environment has to be found, there is no such layer on it, but for luck.
        if known_resolution(builder.home, builder.engine.architecture, plan) is None:
            own = stack.enter_context(scratch())
            work = step(mirror, cut.recent, own, since=below.commit)
            packing = await stack.enter_async_context(beside(work))
        environment = await environment_layer(builder, below.image, plan, mirror, commit)
        lower = Below(environment, below.commit)
        upper = await repository_layer(builder, lower, mirror, cut.recent, RECENT, packing)
    return _Ground(upper.image, environment)


async def _on_top(
    builder: Builder, plan: EnvironmentPlan, below: _Ground, history: asyncio.Task[_History],
    objects: asyncio.Task[str], tag: str, key: dict[str, str],
) -> Image:  # fmt: skip
    async def keep(made: BuildContainer) -> Image:
        labels = {
            label.LAYER: "instance",
            OBJECTS: await objects,
            COMMIT: history.result().step.commit,
            ENVIRONMENT: below.environment.tags[0],
        }
        return await builder.keep(made, tag, labels | key)

    builder.report("installing the project")
    # A container without a network is there sooner, and the index is rarely needed.
    async with builder.offline(below.image.id) as made:
        if await _place(made, plan, await history, install_project):
            return await keep(made)
    async with builder.container(below.image.id) as made:
        await _place(made, plan, await history, install_with_index)
        return await keep(made)


async def _place(
    made: BuildContainer, plan: EnvironmentPlan, found: _History, install: Install
) -> bool:
    """Brings commit and installation into a container; whether the latter could be done."""
    await advance(made, found.step)
    installing = install(made, found.backend) if plan.metadata_file else _nothing()
    done, _ = await together(installing, remove_other_copies(made, plan.project))
    await hide_build_products(made)
    return done


async def _nothing() -> bool:
    return True
