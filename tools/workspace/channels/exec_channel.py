"""The plain channel: one `exec` of the engine per command."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp
from aiodocker.containers import DockerContainer
from aiodocker.stream import Stream

from tools.workspace.channels.channel import (
    NOT_STARTED,
    TAIL_BYTES,
    Command,
    Execution,
    Held,
    Limit,
    Sink,
    Source,
)
from tools.workspace.engine import engine_errors, let_go
from tools.workspace.faults import FaultKind, InfraFault

KILL_LIMIT_S = 5.0
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


class ExecChannel:
    """One `exec` per command (about 50 ms each): for containers in which layers are built.

    A daemon that also clears its environment outlives the time limit here, and a process left with
    the command's streams delays its end by the engine's own two seconds.
    """

    def __init__(self, container: DockerContainer) -> None:
        self._container = container
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self, command: Command, sink: Sink | None = None) -> Execution:
        """See `Channel.run`."""
        while self._ending:
            await asyncio.wait(self._ending)
        started = time.monotonic()
        mark = secrets.token_hex(8)
        held = Held()
        kept = _Kept(sink or held, command.max_output_bytes)
        limit = None
        try:
            async with asyncio.timeout(command.timeout_s):
                exit_code: int | None = await self._exec(command, mark, kept)
        except TimeoutError:
            await self._kill(mark)
            exit_code, limit = None, Limit.TIME
        except asyncio.CancelledError:
            ending = asyncio.create_task(self._kill_if_there(mark))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            raise
        return Execution(
            exit_code=exit_code,
            dropped_bytes=kept.end(),
            stdout=held.bytes_of("stdout"),
            stderr=held.bytes_of("stderr"),
            duration_s=round(time.monotonic() - started, 3),
            limit=limit,
        )

    async def _exec(self, command: Command, mark: str, kept: "_Kept") -> int:
        # The hijacked stream cannot be half closed everywhere, so the length ends the input; what
        # the command leaves unread is read all the same, else the engine holds on to it.
        drained = '{ "$@"; code=$?; cat >/dev/null; exit "$code"; }'
        feed = f'head -c "$n" | {drained}' if command.stdin else 'exec "$@"'
        enter = f'cd "$1" || exit 126; n=$2; shift 2; {feed}'
        size = str(len(command.stdin))
        argv = ("/bin/sh", "-c", enter, "sh", command.cwd, size, *command.argv)
        async with engine_errors("running a command", None):
            execution = await self._container.exec(
                cmd=list(argv),
                environment=dict(command.env) | {MARK: mark},
                stdin=bool(command.stdin),
            )
            stream = await execution.start(detach=False).__aenter__()
            # Beside the reading: a command that answers before it has read all would stall.
            feeding = asyncio.create_task(_feed(stream, command.stdin))
            try:
                while (message := await stream.read_out()) is not None:
                    kept.add("stderr" if message.stream == 2 else "stdout", message.data)
            finally:
                feeding.cancel()
                await let_go(stream)
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
                await self._exec(kill, "", _Kept(Held(), 0))
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
    """Passes output on up to a limit, and of what comes later the end of each stream."""

    sink: Sink
    limit_bytes: int
    held_bytes: int = 0
    tails: dict[Source, "_Tail"] = field(default_factory=dict)

    def add(self, source: Source, chunk: bytes) -> None:
        room = chunk[: self.limit_bytes - self.held_bytes]
        if room:
            self.sink.write(source, room)
            self.held_bytes += len(room)
        if rest := chunk[len(room) :]:
            self.tails.setdefault(source, _Tail()).add(rest)

    def end(self) -> int:
        """Passes the ends of the streams on and returns how many bytes were dropped."""
        for source, tail in self.tails.items():
            if tail.dropped_bytes:
                self.sink.skip(source, tail.dropped_bytes)
            self.sink.write(source, b"".join(tail.chunks))
        return sum(tail.dropped_bytes for tail in self.tails.values())


@dataclass
class _Tail:
    """The last `TAIL_BYTES` of what was added."""

    chunks: deque[bytes] = field(default_factory=deque)
    held_bytes: int = 0
    dropped_bytes: int = 0

    def add(self, chunk: bytes) -> None:
        self.chunks.append(chunk)
        self.held_bytes += len(chunk)
        while (over_bytes := self.held_bytes - TAIL_BYTES) > 0:
            first = self.chunks.popleft()
            if len(first) > over_bytes:
                self.chunks.appendleft(first[over_bytes:])
            gone_bytes = min(len(first), over_bytes)
            self.held_bytes -= gone_bytes
            self.dropped_bytes += gone_bytes
