"""The layers a workspace starts from: base -> environment -> instance.

Each has a key made of the content that determines it, so that a rebuild has the same one; what is
there is never built again.
"""

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import AsyncFileLock

from tools.workspace import labels as label
from tools.workspace.builder import BuildContainer, Builder
from tools.workspace.engine import Engine, Image
from tools.workspace.environment import EnvironmentPlan
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.history import cut
from tools.workspace.install import hide_build_products, install_dependencies, install_project
from tools.workspace.mirrors import Mirror
from tools.workspace.spec import LINK, PROJECT

OBJECTS = "agent_runner.objects_sha256"
ENVIRONMENT = "agent_runner.environment"


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


def instance_key(base: Image, plan: EnvironmentPlan, source: str, commit: str) -> str:
    """What determines an instance layer, hashed."""
    parts = (plan.key(base_key(base)), source, commit)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def base_key(base: Image) -> str:
    """What determined a base image: our own label, else (an image a user made) its digest."""
    return base.labels.get(label.KEY, base.id)


def instance_tag(commit: str, source: str, key: str) -> str:
    """The name of an instance image."""
    name = re.sub(r"[^a-z0-9]+", "-", source.rstrip("/").rpartition("/")[2].lower()).strip("-")
    return f"agent_runner/instance:{name[:40] or 'project'}-{commit[:8]}-{key}"


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
    """Builds the instance layer, and the environment layer below it where that is missing.

    Raises:
        InfraFault: `index_unreachable`, `host_disk_full`, `stage_timeout`, `image_unavailable`.
    """
    environment = await _environment(builder, base, plan, mirror, commit)
    key = instance_key(base, plan, mirror.source, commit)
    tag = instance_tag(commit, mirror.source, key)
    async with _locked(builder.home, key):
        image = await builder.engine.image(tag)
        if image is not None:
            return Instance(tag, key, image, built=False)
        builder.report(f"installing the project at {commit[:12]}")
        history = await cut(mirror, commit)
        async with builder.container(environment.id) as made:
            await _checkout(made, history.tar)
            if plan.metadata_file:
                await install_project(made)
            await hide_build_products(made)
            labels = {
                label.LAYER: "instance",
                label.KEY: key,
                OBJECTS: history.objects_sha256,
                "agent_runner.commit": commit,
                ENVIRONMENT: environment.tags[0],
            }
            image = await _commit(builder.engine, made, tag, labels)
    return Instance(tag, key, image, built=True)


async def _environment(
    builder: Builder, base: Image, plan: EnvironmentPlan, mirror: Mirror, commit: str
) -> Image:
    key = plan.key(base_key(base))
    tag = f"agent_runner/env:py{plan.python}-{key}"
    async with _locked(builder.home, key):
        image = await builder.engine.image(tag)
        if image is not None:
            return image
        builder.report(f"resolving the dependencies as of {plan.as_of[:10]}")
        async with builder.container(base.id) as made:
            await install_dependencies(made, plan, await mirror.tree(commit))
            labels = {label.LAYER: "environment", label.KEY: key}
            return await _commit(builder.engine, made, tag, labels)


async def _commit(engine: Engine, made: BuildContainer, tag: str, labels: dict[str, str]) -> Image:
    """Unless somebody did so meanwhile: another state directory, or a commit outliving its run.

    A second image under the tag would leave the first without a name, in nobody's reach.

    Raises:
        InfraFault: `image_unavailable`, where somebody removes it at once.
    """
    if await engine.image(tag) is None:
        await made.container.commit(tag, labels)
    image = await engine.image(tag)
    if image is None:
        message = f"{tag} was removed as soon as it was built"
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message, retryable=True)
    return image


async def _checkout(made: BuildContainer, history: bytes) -> None:
    await made.unpack(PROJECT, history)
    await made.step("checking out", "git", "-C", PROJECT, "reset", "-q", "--hard")
    link = f"mkdir -p {Path(LINK).parent} && ln -sfn {PROJECT} {LINK}"
    await made.step("linking the project", "/bin/sh", "-c", link)


@asynccontextmanager
async def _locked(home: Path, key: str) -> AsyncIterator[None]:
    (home / "locks").mkdir(parents=True, exist_ok=True)
    async with AsyncFileLock(home / "locks" / f"{key}.lock", poll_interval=0.1):
        yield
