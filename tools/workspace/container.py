"""One container: made, used through its channel, removed; and files in and out of it."""

import io
import tarfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError
from aiodocker.types import JSONValue

from tools.workspace.channel import Channel, Command, Execution, Sink
from tools.workspace.engine import Engine, engine_errors
from tools.workspace.exec_channel import ExecChannel
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.labels import NOBODYS

# What package installs and test suites need; nothing else of root's power is left.
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID", "KILL")
# As PID 1 it reaps, and no signal from inside ends it, `kill -9 -1` included; under `--init` that
# would end the container. From outside it is removed by force, which waits for nothing.
IDLE = ("/bin/sh", "-c", "while :; do sleep 86400 & wait; done")

Network = Literal["none", "bridge"]


@dataclass(frozen=True)
class Limits:
    """What one container may use of the machine; `cpus` None means all of them."""

    memory_bytes: int = 4 * 1024**3
    cpus: float | None = None
    pids: int = 512


@dataclass(frozen=True)
class ContainerSpec:
    """What to create.

    Attributes:
        network: `none` for everything an agent or a grader runs in; `bridge` to build layers.
        binds: host directories for building only, `source:target[:ro]`.
        tmpfs: paths in memory, which no layer keeps.
    """

    image: str
    labels: Mapping[str, str]
    network: Network = "none"
    limits: Limits = field(default_factory=Limits)
    env: Mapping[str, str] = field(default_factory=dict)
    binds: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    hardened: bool = True


class Container:
    """A running container of ours."""

    def __init__(self, container: DockerContainer, spec: ContainerSpec, channel: Channel) -> None:
        self._container = container
        self.spec = spec
        self._channel = channel

    @property
    def id(self) -> str:
        """The engine's full id."""
        return self._container.id

    async def start(self) -> None:
        """Starts what was only created."""
        async with engine_errors("starting a container"):
            await self._container.start()

    async def run(self, command: Command, sink: Sink | None = None) -> Execution:
        """Runs a command; see `Channel.run` for what it raises."""
        return await self._channel.run(command, sink)

    async def check(self, *argv: str, cwd: str = "/", timeout_s: float = 60.0) -> bytes:
        """Runs one of our own commands, which must succeed, and returns its stdout.

        Raises:
            InfraFault: `container_lost`, with the end of its output, where it does not succeed.
        """
        done = await self.run(Command(argv, cwd=cwd, timeout_s=timeout_s))
        if not done.ok:
            text = done.output.decode(errors="replace").strip()[-500:]
            message = f"`{' '.join(argv)[:200]}` failed in the container: {text}"
            raise InfraFault(FaultKind.CONTAINER_LOST, message)
        return done.stdout

    async def put_tar(self, directory: str, tar: bytes) -> None:
        """Unpacks a tar archive in a directory that exists."""
        async with engine_errors(f"copying files to {directory}"):
            await self._container.put_archive(directory, tar)  # type: ignore[no-untyped-call]

    async def put(self, files: Mapping[str, bytes], mode: int = 0o644) -> None:
        """Writes files by absolute path, parents included."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for path, content in files.items():
                entry = tarfile.TarInfo(path.lstrip("/"))
                entry.size, entry.mode = len(content), mode
                tar.addfile(entry, io.BytesIO(content))
        await self.put_tar("/", buffer.getvalue())

    async def archive(self, path: str) -> bytes:
        """A directory with all below it as a tar archive, made by the engine itself.

        Raises:
            InfraFault: there is no such directory, or the container is gone.
        """
        async with (
            engine_errors(f"reading {path}"),
            self._container.docker._query(
                f"containers/{self.id}/archive", params={"path": path}
            ) as response,
        ):
            return bytes(await response.read())

    async def get(self, paths: Iterable[str], root: str, max_bytes: int) -> bytes:
        """A tar archive of the paths under root as they are (links not followed).

        Directories come without their content; paths that do not exist are left out.

        Raises:
            InfraFault: `container_lost` where the archive does not come whole.
        """
        names = b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in paths)
        argv = ("tar", "--no-recursion", "--ignore-failed-read", "--null", "-T", "-", "-cf", "-")
        done = await self.run(Command(argv, cwd=root, stdin=names, max_output_bytes=max_bytes))
        if done.timed_out or done.dropped_bytes:
            raise InfraFault(FaultKind.CONTAINER_LOST, f"cannot read {len(names)} names of {root}")
        return done.stdout

    async def read(self, path: str) -> bytes | None:
        """One file's content, None where there is no such regular file."""
        done = await self.run(Command(("cat", "--", path)))
        return done.stdout if done.ok and not done.dropped_bytes else None

    async def commit(self, tag: str, labels: Mapping[str, str], env: tuple[str, ...] = ()) -> str:
        """Makes an image of what the container is now and returns its id."""
        repository, _, version = tag.rpartition(":")
        # An image inherits its container's labels; those that say whose it is must not go along.
        marks = {**NOBODYS, **labels}
        changes = [f'LABEL {name}="{value}"' for name, value in marks.items()]
        changes += [f"ENV {line}" for line in env]
        async with engine_errors(f"committing {tag}"):
            made = await self._container.commit(
                repository=repository,
                tag=version,
                changes=changes,
                pause=False,
                timeout=aiohttp.ClientTimeout(total=600),
            )
        return str(made["Id"])

    async def is_running(self) -> bool:
        """Whether the engine still has it and it runs."""
        try:
            async with engine_errors("inspecting the container"):
                shown = await self._container.show()
        except InfraFault as fault:
            if fault.kind is FaultKind.CONTAINER_LOST:
                return False
            raise
        return bool(shown["State"]["Running"])


def _create_body(spec: ContainerSpec) -> Mapping[str, JSONValue]:
    host: dict[str, JSONValue] = {
        "NetworkMode": spec.network,
        "Init": False,
        "Memory": spec.limits.memory_bytes,
        "MemorySwap": spec.limits.memory_bytes,
        "NanoCpus": int((spec.limits.cpus or 0) * 1e9),
        "PidsLimit": spec.limits.pids,
        "LogConfig": {"Type": "none"},
        "Binds": list(spec.binds),
        "Tmpfs": {path: "rw,exec" for path in spec.tmpfs},
    }
    if spec.hardened:
        host["CapDrop"] = ["ALL"]
        host["CapAdd"] = list(CAPABILITIES)
        host["SecurityOpt"] = ["no-new-privileges"]
    return {
        "Image": spec.image,
        "Entrypoint": [],
        "Cmd": list(IDLE),
        "Env": [f"{name}={value}" for name, value in spec.env.items()],
        "Labels": dict(spec.labels),
        "WorkingDir": "/",
        "HostConfig": host,
    }


@asynccontextmanager
async def running(engine: Engine, spec: ContainerSpec) -> AsyncIterator[Container]:
    """A started container, removed at the end whatever happens.

    Raises:
        InfraFault: `image_unavailable` where the image is gone, `engine_unavailable` otherwise.
    """
    container = await start(engine, spec)
    try:
        yield container
    finally:
        await discard(engine, container.id)


async def start(engine: Engine, spec: ContainerSpec) -> Container:
    """Creates and starts a container that nobody removes but the caller (or `clean`)."""
    created = await create(engine, spec)
    try:
        await created.start()
    except BaseException:
        await remove(engine, created.id)
        raise
    return created


async def create(engine: Engine, spec: ContainerSpec) -> Container:
    """Creates a container without starting it."""
    async with engine_errors(f"creating a container of image {spec.image}"):
        created = await engine.docker.containers.create(_create_body(spec))
    return Container(created, spec, ExecChannel(created))


async def discard(engine: Engine, container_id: str) -> None:
    """Removes a container at the end of its use.

    An engine that fails now must not hide how the use ended; what stays is found by its label.
    """
    with suppress(InfraFault):
        await remove(engine, container_id)


async def remove(engine: Engine, container_id: str) -> None:
    """Removes a container at once; one that is gone already is no error."""
    async with engine_errors("removing a container"):
        try:
            await engine.docker.containers.container(container_id).delete(force=True, v=True)
        except DockerError as error:
            # 409: somebody else is removing it this moment.
            if error.status not in {404, 409}:
                raise
