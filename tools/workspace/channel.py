"""How commands run in a container: one interface, whatever carries it."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp
from aiodocker.containers import DockerContainer
from aiodocker.stream import Stream

from tools.workspace.engine import engine_errors
from tools.workspace.faults import FaultKind, InfraFault

OUTPUT_LIMIT_BYTES = 10_000_000
KILL_LIMIT_S = 5.0
NOT_STARTED = 126
KILLED = 128 + 9
MARK = "AGENT_RUNNER_COMMAND"

CONTAINER_END_S = 0.5

# Every process inherits the mark through its environment, daemons with a session of their own too;
# children that cleared theirs are found by their parent. All are stopped before the first is
# killed: a child whose parent dies first would no longer be found.
_KILL = f"""
for round in 1 2 3 4 5 6 7 8; do
  found=' '
  more=1
  while [ -n "$more" ]; do
    more=
    for proc in /proc/[0-9]*; do
      pid=${{proc#/proc/}}
      case "$found" in *" $pid "*) continue ;; esac
      [ "$pid" = 1 ] && continue
      parent=
      while read -r key value rest; do
        [ "$key" = PPid: ] && parent=$value && break
      done 2>/dev/null <"$proc/status"
      case "$found" in
        *" $parent "*) ;;
        *) grep -aqF "{MARK}=$1" "$proc/environ" 2>/dev/null || continue ;;
      esac
      kill -STOP "$pid" 2>/dev/null && found="$found$pid " && more=1
    done
  done
  [ "$found" = ' ' ] && exit 0
  kill -9 $found 2>/dev/null
done
exit 1
"""


@dataclass(frozen=True)
class Command:
    """What to run.

    Attributes:
        argv: program and arguments; no shell unless it names one.
        stdin: bytes the command reads; empty means an empty standard input.
        timeout_s: seconds after which everything the command started is ended.
        max_output_bytes: bytes kept of stdout and stderr together; the rest is read and dropped.
    """

    argv: tuple[str, ...]
    cwd: str = "/"
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    timeout_s: float = 60.0
    max_output_bytes: int = OUTPUT_LIMIT_BYTES


@dataclass(frozen=True)
class Execution:
    """How a command ended.

    Attributes:
        exit_code: 128 + n where signal n ended it; None where the time limit did.
        dropped_bytes: output past the limit, read and thrown away.
    """

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    dropped_bytes: int
    duration_s: float

    @property
    def timed_out(self) -> bool:
        """Whether the time limit ended it; what it wrote until then is kept."""
        return self.exit_code is None

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with 0."""
        return self.exit_code == 0

    @property
    def output(self) -> bytes:
        """Both streams, stdout first."""
        glue = b"\n" if self.stdout and self.stderr and not self.stdout.endswith(b"\n") else b""
        return self.stdout + glue + self.stderr


class Channel(Protocol):
    """Runs commands in one running container, several at a time.

    A command that ended leaves its background processes running; one that meets its time limit
    has everything it started ended, daemons included, and keeps its partial output. Cancellation
    is passed on at once, and what the command started is ended before the next one runs.
    """

    async def run(self, command: Command) -> Execution:
        """Runs a command to its end or its limit.

        Raises:
            InfraFault: `container_lost` or `engine_unavailable`; never for what the command did.
        """
        ...


class ExecChannel:
    """The plain channel: one `exec` of the engine per command (about 50 ms each).

    A daemon that also clears its environment outlives the time limit here, and a process left with
    the command's streams delays its end by the engine's own two seconds.
    """

    def __init__(self, container: DockerContainer) -> None:
        self._container = container
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self, command: Command) -> Execution:
        """See `Channel.run`."""
        while self._ending:
            await asyncio.wait(self._ending)
        started = time.monotonic()
        mark = secrets.token_hex(8)
        kept = _Kept(command.max_output_bytes)
        try:
            async with asyncio.timeout(command.timeout_s):
                exit_code: int | None = await self._exec(command, mark, kept)
        except TimeoutError:
            await self._kill(mark)
            exit_code = None
        except asyncio.CancelledError:
            ending = asyncio.create_task(self._kill_if_there(mark))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            raise
        return Execution(
            exit_code=exit_code,
            stdout=b"".join(kept.stdout),
            stderr=b"".join(kept.stderr),
            dropped_bytes=kept.dropped_bytes,
            duration_s=round(time.monotonic() - started, 3),
        )

    async def _exec(self, command: Command, mark: str, kept: "_Kept") -> int:
        # The hijacked stream cannot be half closed everywhere, so the length ends the input; what
        # the command leaves unread is read all the same, else the engine holds on to it.
        drained = '{ "$@"; code=$?; cat >/dev/null; exit "$code"; }'
        feed = f'head -c "$n" | {drained}' if command.stdin else 'exec "$@"'
        enter = f'cd "$1" || exit 126; n=$2; shift 2; {feed}'
        size = str(len(command.stdin))
        argv = ("/bin/sh", "-c", enter, "sh", command.cwd, size, *command.argv)
        async with engine_errors("running a command"):
            execution = await self._container.exec(
                cmd=list(argv),
                environment=dict(command.env) | {MARK: mark},
                stdin=bool(command.stdin),
            )
            async with execution.start(detach=False) as stream:
                # Beside the reading: a command that answers before it has read all would stall.
                feeding = asyncio.create_task(_feed(stream, command.stdin))
                try:
                    while (message := await stream.read_out()) is not None:
                        kept.add(message.stream, message.data)
                finally:
                    feeding.cancel()
            return await self._exit_code(execution.inspect)

    async def _exit_code(self, inspect: "_Inspect") -> int:
        facts = await inspect()
        code = facts["ExitCode"]
        within_s = {NOT_STARTED: 0.0, KILLED: CONTAINER_END_S}.get(code or 0)
        lost = facts["Running"] or (within_s is not None and await self._ends(within_s))
        if code is None or lost:
            raise InfraFault(
                FaultKind.CONTAINER_LOST, "the container ended under a command", retryable=True
            )
        return int(code)

    async def _ends(self, within_s: float) -> bool:
        """Whether the container's end ended the command: its PID 1 is the last to be reaped."""
        deadline_s = time.monotonic() + within_s
        while (await self._container.show())["State"]["Running"]:
            if time.monotonic() >= deadline_s:
                return False
            await asyncio.sleep(0.1)
        return True

    async def _kill_if_there(self, mark: str) -> None:
        """Ends a cancelled command; whoever cancelled it may be removing the container."""
        with suppress(InfraFault):
            await self._kill(mark)

    async def _kill(self, mark: str) -> None:
        kill = Command(("/bin/sh", "-c", _KILL, "sh", mark), timeout_s=KILL_LIMIT_S)
        try:
            async with asyncio.timeout(KILL_LIMIT_S):
                await self._exec(kill, "", _Kept(0))
        except TimeoutError as error:
            message = "the engine did not end a timed-out command"
            raise InfraFault(FaultKind.ENGINE_UNAVAILABLE, message, retryable=True) from error


async def _feed(stream: Stream, content: bytes) -> None:
    """Writes the input; a command that ends without reading it is no error."""
    with suppress(ConnectionError, aiohttp.ClientError):
        if content:
            await stream.write_in(content)


class _Inspect(Protocol):
    async def __call__(self) -> Mapping[str, int | bool | None]: ...


@dataclass
class _Kept:
    """The output so far, up to a limit."""

    limit_bytes: int
    stdout: list[bytes] = field(default_factory=list)
    stderr: list[bytes] = field(default_factory=list)
    held_bytes: int = 0
    dropped_bytes: int = 0

    def add(self, stream: int, chunk: bytes) -> None:
        room = chunk[: self.limit_bytes - self.held_bytes]
        (self.stderr if stream == 2 else self.stdout).append(room)
        self.held_bytes += len(room)
        self.dropped_bytes += len(chunk) - len(room)
