"""A container a layer is made in: steps, and whose fault it is where one fails."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tools.workspace.channels.channel import Command, Execution
from tools.workspace.container import Container
from tools.workspace.faults import FaultKind, InfraFault

CRASHED = 128 + 11
UV_SETTINGS = "/build/uv.toml"
# What uv and pip say when the index itself cannot be reached, rather than a package built.
UNREACHABLE = (
    "error sending request",
    "failed to fetch",
    "dns error",
    "connection refused",
    "network is unreachable",
    "temporary failure in name resolution",
    "operation timed out",
)


@dataclass(frozen=True)
class BuildContainer:
    """A container a layer is made in."""

    container: Container
    timeout_s: float
    env: Mapping[str, str]

    async def put_in_memory(self, path: str, content: bytes) -> None:
        """Writes a file below a tmpfs, which the engine's own copying does not reach."""
        script = 'mkdir -p "$(dirname "$1")" && cat > "$1"'
        await self.step("writing a file", "/bin/sh", "-c", script, "sh", path, stdin=content)

    async def add_uv_settings(self, toml: str) -> None:
        """Adds tables to the settings uv reads here."""
        script = f"cat >> {UV_SETTINGS}"
        await self.step("writing uv's settings", "/bin/sh", "-c", script, stdin=toml.encode())

    async def unpack(self, directory: str, tar: bytes) -> None:
        """Unpacks an archive in a directory, which is made."""
        script = 'mkdir -p "$1" && exec tar -xf - -C "$1"'
        await self.step("unpacking", "/bin/sh", "-c", script, "sh", directory, stdin=tar)

    async def step(self, what: str, *argv: str, cwd: str = "/", stdin: bytes = b"") -> Execution:
        """Runs one step, which must succeed.

        Raises:
            InfraFault: `index_unreachable`, `stage_timeout`, or `image_unavailable` with the end
                of what the step said.
        """
        done = await self.attempt(*argv, cwd=cwd, stdin=stdin)
        if not done.ok:
            raise _failure(what, done, self.timeout_s)
        return done

    async def attempt(self, *argv: str, cwd: str = "/", stdin: bytes = b"") -> Execution:
        """Runs one step that may fail; of itself, not because of the world around it.

        Raises:
            InfraFault: `index_unreachable`, `host_disk_full`, `stage_timeout`.
        """
        command = Command(argv, cwd, self.env, stdin, self.timeout_s)
        done = await self.container.run(command)
        if done.exit_code == CRASHED and "uv" in argv:
            # uv can crash (astral-sh/uv#21428) and leave half a package that looks installed.
            again = ("--reinstall",) if "install" in argv else ()
            done = await self.container.run(replace(command, argv=(*argv, *again)))
        fault = None if done.ok else world_fault("building a layer", done, self.timeout_s)
        if fault is not None:
            raise fault
        return done


def is_unreachable(text: str) -> bool:
    """Whether what uv or pip said means that the index did not answer."""
    return any(sign in text.lower() for sign in UNREACHABLE)


def _failure(what: str, done: Execution, timeout_s: float) -> InfraFault:
    fault = world_fault(what, done, timeout_s)
    if fault is not None:
        return fault
    return InfraFault(FaultKind.IMAGE_UNAVAILABLE, f"{what} failed: {_said(done)[-800:]}")


def world_fault(what: str, done: Execution, timeout_s: float) -> InfraFault | None:
    """What failed a step, where that was the world and nothing of what was to be built."""
    if done.timed_out:
        message = f"{what} took longer than {timeout_s:.0f} s (limits.build_s)"
        return InfraFault(FaultKind.STAGE_TIMEOUT, message, retryable=True)
    text = _said(done)
    if is_unreachable(text):
        message = f"{what}: the package index cannot be reached: {text[-400:]}"
        return InfraFault(FaultKind.INDEX_UNREACHABLE, message, retryable=True)
    if "no space left on device" in text.lower():
        return InfraFault(FaultKind.HOST_DISK_FULL, f"{what}: the engine's disk is full")
    return None


def _said(done: Execution) -> str:
    return done.output.decode(errors="replace").strip()
