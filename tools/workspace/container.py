"""One container, used through its channel; and files in and out of it."""

import asyncio
import io
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, Literal

import aiohttp
from aiodocker.containers import DockerContainer

from tools.workspace.channels.channel import Channel, Command, Execution, Sink
from tools.workspace.channels.exec_channel import ExecChannel
from tools.workspace.channels.init_channel import InitChannel
from tools.workspace.disk import DiskWatch
from tools.workspace.engine import COPY_LIMIT_S, engine_errors
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.labels import KEPT, LEASE_S, NOBODYS
from tools.workspace.limits import Limits

Network = Literal["none", "bridge"]


@dataclass(frozen=True)
class ContainerSpec:
    """What to create.

    Attributes:
        network: `none` for everything an agent or a grader runs in; `bridge` to build layers.
        binds: host directories for building only, `source:target[:ro]`.
        tmpfs: paths in memory, which no layer keeps.
        init: the volume with the program that is PID 1 and carries the channel; without it an idle
            shell is, and commands go through the engine's `exec`.
    """

    image: str
    labels: Mapping[str, str]
    network: Network = "none"
    limits: Limits = field(default_factory=Limits)
    env: Mapping[str, str] = field(default_factory=dict)
    binds: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    hardened: bool = True
    init: str = ""

    @property
    def lease_s(self) -> float:
        """Seconds after which init ends the container where nobody renews; 0 for never."""
        return 0.0 if self.labels.get(KEPT) else float(self.labels.get(LEASE_S, 0))

    @property
    def has_mounts(self) -> bool:
        """Whether anything is mounted in it, be it in memory."""
        return bool(self.binds or self.tmpfs or self.init)

    def sibling(self) -> "ContainerSpec":
        """The same for a short-lived container beside this one."""
        labels = {name: value for name, value in self.labels.items() if name != KEPT}
        return replace(self, labels=labels)


def tar_of(files: Mapping[str, bytes], mode: int = 0o644) -> bytes:
    """A tar archive of files by their paths, which become relative."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class Container:
    """A running container of ours."""

    def __init__(self, container: DockerContainer, spec: ContainerSpec) -> None:
        self._container = container
        self.spec = spec
        self._channel: Channel = ExecChannel(container)
        self._init: InitChannel | None = None
        self.disk: DiskWatch | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        """The engine's full id."""
        return self._container.id

    async def start(self) -> None:
        """Starts what was only created, and opens its channel."""
        if self.spec.init:
            self._init = InitChannel(self._container, self.spec.lease_s)
            await self._init.open()
            self._channel = self._init
        if self._init is not None and self.spec.limits.disk_bytes:
            self.disk = DiskWatch(self._container, self._init, self.spec.limits.disk_bytes)
        async with engine_errors("starting a container"):
            await self._container.start()
        if self.disk is not None:
            self._watching = asyncio.create_task(self.disk.watch())

    async def close(self) -> None:
        """Lets go of the container, which is removed or kept after that."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        if self._init is not None:
            await self._init.close()

    async def run(self, command: Command, sink: Sink | None = None) -> Execution:
        """Runs a command; see `Channel.run` for what it raises.

        Raises:
            InfraFault: `host_disk_full` too.
        """
        if self.disk is None:
            return await self._channel.run(command, sink)
        with self.disk.busy():
            done = await self._channel.run(command, sink)
        await self.disk.judge(done)
        return done

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

    async def put_tar(self, directory: str, tar: bytes | IO[bytes]) -> None:
        """Unpacks a tar archive, an open file or its content, in a directory that exists."""
        async with engine_errors(f"copying files to {directory}", COPY_LIMIT_S):
            await self._container.put_archive(directory, tar)  # type: ignore[no-untyped-call]

    async def put(self, files: Mapping[str, bytes], mode: int = 0o644) -> None:
        """Writes files by absolute path, parents included."""
        await self.put_tar("/", tar_of(files, mode))

    async def archive(self, path: str) -> bytes:
        """A directory with all below it as a tar archive, made by the engine itself.

        Raises:
            InfraFault: there is no such directory, or the container is gone.
        """
        async with (
            engine_errors(f"reading {path}", COPY_LIMIT_S),
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
        # An image inherits what is its container's: what says whose it is, and what idles there.
        marks = {**NOBODYS, **labels}
        changes = [f'LABEL {name}="{value}"' for name, value in marks.items()]
        changes.append('CMD ["/bin/sh"]')
        changes += [f"ENV {line}" for line in env]
        async with engine_errors(f"committing {tag}", COPY_LIMIT_S):
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
