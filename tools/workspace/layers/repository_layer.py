"""Repository layers: the history and files of dated ancestors, stored once for who shares them."""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from tools.workspace import labels as label
from tools.workspace.build.build_container import BuildContainer
from tools.workspace.build.builder import Builder
from tools.workspace.channels.channel import Command, Execution
from tools.workspace.engine import Image
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.packages.ground import base_key
from tools.workspace.repository.git import plain_config
from tools.workspace.repository.history import ADVANCE, Step, step
from tools.workspace.repository.mirrors import Mirror
from tools.workspace.scratch import scratch
from tools.workspace.spec import LINK, PROJECT

RECIPE = "1"  # raised when the way histories are stored changes: every key changes with it


@dataclass(frozen=True)
class Below:
    """What an environment and then an instance stand on.

    Attributes:
        image: the base image, or a repository layer on it.
        commit: the ancestor whose history and files it holds; "" for none.
    """

    image: Image
    commit: str = ""


async def repository_layer(
    builder: Builder, below: Below, mirror: Mirror, commit: str, kind: str = "repository",
    packing: asyncio.Task[Step] | None = None,
) -> Below:  # fmt: skip
    """The layer of an ancestor on an image that holds an older one or none, built where missing.

    Args:
        kind: what the layer is called; `recent` on an environment.
        packing: the step to the ancestor, where somebody has begun it.

    Raises:
        InfraFault: of the engine, `host_disk_full`, or `image_unavailable` where git fails.
    """
    key = hashlib.sha256(f"{RECIPE}\n{base_key(below.image)}\n{commit}".encode()).hexdigest()[:16]
    tag = f"agent_runner/{kind}:{project_name(mirror.source)}-{commit[:8]}-{key}"
    async with builder.locked(key):
        image = await builder.engine.image(tag)
        if image is None:
            builder.report(f"storing the history of {mirror.source} up to {commit[:12]}")
            with scratch() as own:
                made = await (packing or step(mirror, commit, own, since=below.commit))
                async with builder.bare(below.image.id) as container:
                    await advance(container, made)
                    labels = {label.LAYER: kind, label.KEY: key}
                    image = await builder.keep(container, tag, labels)
    return Below(image, commit)


def project_name(source: str) -> str:
    """A repository's name as part of an image's tag."""
    name = re.sub(r"[^a-z0-9]+", "-", source.rstrip("/").rpartition("/")[2].lower()).strip("-")
    return name[:40].strip("-") or "project"


async def advance(made: BuildContainer, step: Step) -> None:
    """Takes a step in a container: its history comes in, its files are written where they differ.

    Raises:
        InfraFault: `image_unavailable`, where git cannot do it.
    """
    container = made.container
    link = f"mkdir -p {PROJECT} {Path(LINK).parent} && ln -sfn {PROJECT} {LINK}"
    script, content = f"{link}\ncd {PROJECT}\n", b""
    if container.spec.has_mounts:
        # The engine would leave the places of its mounts in the layer.
        script += "tar -xf - || exit 1\n"
        content = await asyncio.to_thread(step.tar.read_bytes)
    else:
        await container.check("/bin/sh", "-c", link)
        with step.tar.open("rb") as tar:
            await container.put_tar(PROJECT, tar)
    argv = ("/bin/sh", "-c", script + ADVANCE, "sh", str(step.date_s))
    done = await container.run(Command(argv, "/", plain_config(), content, made.timeout_s))
    _require(done, step)


def _require(done: Execution, step: Step) -> None:
    if not done.ok:
        text = done.output.decode(errors="replace").strip()[-500:]
        message = f"the files of {step.commit[:12]} cannot be checked out: {text}"
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message)
