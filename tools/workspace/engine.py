"""The Docker engine: one connection, images, and the mapping of its errors, once, at the edge."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import aiodocker
import aiohttp
from aiodocker.exceptions import DockerError
from aiodocker.stream import Stream

from tools.workspace.faults import FaultKind, InfraFault

# Removing a container, the slowest of what it does at once, can wait for a busy disk.
ANSWER_LIMIT_S = 60.0
COPY_LIMIT_S = 600.0
HELLO_LIMIT_S = 20.0
START_ENGINE = "start it (as root on Debian or Ubuntu: docker/engine.sh) or set DOCKER_HOST"


@dataclass(frozen=True)
class Image:
    """An image the engine holds.

    Attributes:
        id: the content digest, `sha256:...`.
        size_bytes: with all its layers.
    """

    id: str
    labels: Mapping[str, str]
    size_bytes: int
    tags: tuple[str, ...]


@dataclass(frozen=True)
class EngineFacts:
    """What the engine says of itself; `root` is its data directory on its own machine."""

    version: str
    storage: str
    root: Path
    host_name: str
    cpus: int
    memory_bytes: int


@asynccontextmanager
async def engine_errors(what: str, within_s: float | None = ANSWER_LIMIT_S) -> AsyncIterator[None]:
    """Maps what the engine and its connection raise while doing `what`.

    Args:
        within_s: how long the engine may take before it counts as hanging; None for as long as it
            likes.

    Raises:
        InfraFault: `engine_unavailable` where nothing answers, `host_disk_full` where the engine
            has no room, `container_lost` where the container is gone.
    """
    try:
        async with asyncio.timeout(within_s):
            yield
    except DockerError as error:
        raise _fault(what, error) from error
    except TimeoutError as error:
        message = f"the Docker engine hangs: no answer in {within_s} s while {what}"
        raise InfraFault(FaultKind.ENGINE_UNAVAILABLE, message, retryable=True) from error
    except (aiohttp.ClientError, ConnectionError) as error:
        message = f"the Docker engine stopped answering while {what} ({error}); {START_ENGINE}"
        raise InfraFault(FaultKind.ENGINE_UNAVAILABLE, message, retryable=True) from error


def _fault(what: str, error: DockerError) -> InfraFault:
    text, said = f"{what}: {error.message}", str(error.message).lower()
    if "no space left on device" in said:
        return InfraFault(FaultKind.HOST_DISK_FULL, f"the engine's disk is full; {text}")
    if error.status == 404 and "no such image" in said:
        # Somebody removed it since it was found: the next run makes it anew.
        return InfraFault(FaultKind.IMAGE_UNAVAILABLE, text, retryable=True)
    if error.status in {404, 409} and ("container" in said or "exec" in said):
        return InfraFault(FaultKind.CONTAINER_LOST, text, retryable=True)
    return InfraFault(FaultKind.ENGINE_UNAVAILABLE, text, retryable=True)


async def let_go(stream: Stream) -> None:
    """Closes a connection to a container at once; input that nobody has taken is dropped.

    The library alone would keep it open until the other side takes what was sent.
    """
    response = stream._resp
    connection = response.connection if response else None
    transport = connection.transport if connection else None
    await stream.close()
    if transport is not None:
        transport.abort()
        await asyncio.sleep(0)


class Engine:
    """A connection to whatever `DOCKER_HOST`, the current context or the default socket answers.

    Use as `async with Engine() as engine`.

    Raises:
        InfraFault: `engine_unavailable` on entering, where nothing answers.
    """

    def __init__(self) -> None:
        self._docker: aiodocker.Docker | None = None
        self.version = ""
        self.architecture = ""

    async def __aenter__(self) -> Self:
        try:
            docker = aiodocker.Docker()
        except (DockerError, ValueError) as error:
            message = f"no Docker engine: {error}; {START_ENGINE}"
            raise InfraFault(FaultKind.ENGINE_UNAVAILABLE, message) from error
        try:
            async with asyncio.timeout(HELLO_LIMIT_S):
                said = await docker.version()
            self.version, self.architecture = str(said["Version"]), str(said["Arch"])
        except (DockerError, aiohttp.ClientError, OSError, TimeoutError) as error:
            await docker.close()
            message = f"no Docker engine answers ({error}); {START_ENGINE}"
            # It may be on its way: whoever has time asks again.
            raise InfraFault(FaultKind.ENGINE_UNAVAILABLE, message, retryable=True) from error
        self._docker = docker
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._docker is not None:
            await self._docker.close()
            self._docker = None

    @property
    def docker(self) -> aiodocker.Docker:
        """The library's client, for the modules of this package only."""
        if self._docker is None:
            raise RuntimeError("the engine is used outside its `async with`")
        return self._docker

    @property
    def is_local(self) -> bool:
        """Whether the engine sees this machine's directories, and we its disk."""
        return self.docker.docker_host.startswith("unix:")

    async def facts(self) -> EngineFacts:
        """Asks the engine about itself."""
        async with engine_errors("asking the engine about itself"):
            info = await self.docker.system.info()
        return EngineFacts(
            version=str(info["ServerVersion"]),
            storage=str(info["Driver"]),
            root=Path(info["DockerRootDir"]),
            host_name=str(info["Name"]),
            cpus=int(info["NCPU"]),
            memory_bytes=int(info["MemTotal"]),
        )

    async def image(self, name: str) -> Image | None:
        """The image under a tag or id, or None where there is none."""
        async with engine_errors(f"looking for image {name}"):
            try:
                found = await self.docker.images.inspect(name)
            except DockerError as error:
                if error.status == 404:
                    return None
                raise
        labels = (found.get("Config") or {}).get("Labels") or {}
        tags = tuple(found.get("RepoTags") or ())
        return Image(str(found["Id"]), labels, int(found["Size"]), tags)

    async def images_with(self, label: str) -> list[Image]:
        """Every image that carries the label."""
        async with engine_errors("listing images"):
            rows = await self.docker.images.list(filters={"label": [label]})
        return [
            Image(row["Id"], row["Labels"] or {}, row["Size"], tuple(row["RepoTags"] or ()))
            for row in rows
        ]

    async def import_rootfs(
        self, tar: IO[bytes], tag: str, labels: Mapping[str, str], env: Mapping[str, str]
    ) -> None:
        """Makes an image of one layer from a root file system: whole under its tag, or none."""
        repository, _, version = tag.rpartition(":")
        changes = [f'LABEL {name}="{value}"' for name, value in labels.items()]
        changes += [f"ENV {name}={value}" for name, value in env.items()]
        query = {"fromSrc": "-", "repo": repository, "tag": version}
        if changes:  # none at all is "file with no instructions" to the engine
            query["changes"] = "\n".join(changes)
        async with (
            engine_errors(f"importing {tag}", COPY_LIMIT_S),
            self.docker._query(
                "images/create",
                method="POST",
                params=query,
                data=tar,
                headers={"Content-Type": "application/x-tar"},
                timeout=aiohttp.ClientTimeout(total=600),
            ) as response,
        ):
            text = (await response.read()).decode(errors="replace")
        if '"error"' in text:
            raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, f"importing {tag}: {text.strip()[-300:]}")

    async def remove_image(self, name: str) -> None:
        """Removes an image of ours by tag or id; one that is gone already is no error."""
        async with engine_errors(f"removing image {name}"):
            try:
                await self.docker.images.delete(name, force=True)
            except DockerError as error:
                if error.status != 404:
                    raise
