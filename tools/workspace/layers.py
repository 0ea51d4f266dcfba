"""The layers a workspace starts from: base -> tools -> repository -> environment -> instance.

The repository's part lies below the environment: it is the larger, and many environments share it.

Each has a key made of the content that determines it, so that a rebuild has the same one; what is
there is never built again.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

from tools.workspace import labels as label
from tools.workspace.builder import Builder
from tools.workspace.engine import Engine, Image
from tools.workspace.environment import EnvironmentPlan
from tools.workspace.environment_layer import environment_layer, tools_layer
from tools.workspace.ground import base_key
from tools.workspace.history import Step, allowed_digest, step, tags_before
from tools.workspace.install import hide_build_products, install_project
from tools.workspace.mirrors import Mirror
from tools.workspace.other_copies import remove_other_copies
from tools.workspace.repository_layer import Below, advance, project_name, repository_layer
from tools.workspace.scratch import scratch

RECIPE = "2"  # raised when what is done on top of an environment changes
OBJECTS = "agent_runner.objects_sha256"
ENVIRONMENT = "agent_runner.environment"
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
    ground = await tools_layer(builder, base, plan)
    below = await repository_layer(builder, ground, mirror, commit)
    key = instance_key(base, plan, mirror.source, commit)
    tag = instance_tag(commit, mirror.source, key)
    async with builder.locked(key):
        image = await builder.engine.image(tag)
        if image is not None:
            return Instance(tag, key, image, built=False)
        with scratch() as own:
            parts = await _parts(builder, below, plan, mirror, commit, own)
            builder.report(f"installing the project at {commit[:12]}")
            async with builder.container(parts.environment.id) as made:
                await advance(made.container, parts.step, builder.timeout_s)
                if plan.metadata_file:
                    await install_project(made)
                await hide_build_products(made)
                await remove_other_copies(made, plan.project)
                labels = {
                    label.LAYER: "instance",
                    label.KEY: key,
                    OBJECTS: parts.objects_sha256,
                    COMMIT: commit,
                    ENVIRONMENT: parts.environment.tags[0],
                }
                image = await builder.keep(made, tag, labels)
    return Instance(tag, key, image, built=True)


@dataclass(frozen=True)
class _Parts:
    """What an instance is put together from."""

    environment: Image
    step: Step
    objects_sha256: str


async def _parts(
    builder: Builder, below: Below, plan: EnvironmentPlan, mirror: Mirror, commit: str, own: Path
) -> _Parts:
    """The environment is built in the engine while the host's git works out the history."""
    tags = await tags_before(mirror, commit)
    try:
        async with asyncio.TaskGroup() as group:
            environment = group.create_task(
                environment_layer(builder, below.image, plan, mirror, commit)
            )
            made = group.create_task(step(mirror, commit, own, since=below.commit, tags=tags))
            digest = group.create_task(allowed_digest(mirror, commit))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return _Parts(environment.result(), made.result(), digest.result())
