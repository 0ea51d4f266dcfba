"""The channel to a container whose PID 1 is ours: one connection, many commands, no `exec`."""

import asyncio
import errno
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field

from aiodocker.containers import DockerContainer

from tools.workspace.channels import frames
from tools.workspace.channels.channel import (
    NOT_STARTED,
    Command,
    Execution,
    Held,
    Limit,
    Sink,
    Source,
)
from tools.workspace.channels.frames import Disk, Ended, Frame, FromInit, How, ToInit
from tools.workspace.channels.init_link import GRACE_S, InitLink
from tools.workspace.faults import InfraFault

INPUT_CHUNK_BYTES = 64 * 1024
SIGNAL_BASE = 128
STREAMS: dict[FromInit, Source] = {FromInit.OUT: "stdout", FromInit.ERR: "stderr"}


@dataclass
class _Running:
    """A command under way."""

    sink: Sink
    ended: asyncio.Future[Ended]
    window_bytes: int = frames.INPUT_WINDOW_BYTES
    more_window: asyncio.Event = field(default_factory=asyncio.Event)
    dropped_bytes: int = 0
    limit: Limit | None = None
    failure: OSError | InfraFault | None = None


class InitChannel:
    """See `Channel`; open it before the container starts.

    Args:
        lease_s: seconds after which the container ends by itself where nobody renews; 0 for never.
    """

    def __init__(self, container: DockerContainer, lease_s: float) -> None:
        self._link = InitLink(container, lease_s, self._take, self._lose)
        self._running: dict[int, _Running] = {}
        self._ending: set[asyncio.Future[Ended]] = set()
        self._stopping: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Connects; from now on the lease is renewed.

        Raises:
            InfraFault: the engine does not answer, or the container is gone.
        """
        await self._link.open()

    async def close(self) -> None:
        """Disconnects; the container lives on as long as its lease."""
        await self._link.close()

    async def run(self, command: Command, sink: Sink | None = None) -> Execution:
        """See `Channel.run`.

        Raises:
            ValueError: the command line holds a NUL byte.
            OSError: the sink's own; the command was ended.
        """
        if self._ending:
            await asyncio.wait(self._ending, timeout=GRACE_S)
        started = time.monotonic()
        held = Held()
        running, ended = await self._run(command, sink or held)
        background_ended = ended.how is How.NOT_STARTED and ended.value == errno.EAGAIN
        if background_ended:
            # What earlier commands left in the background has taken every process there may be.
            await self.end_background()
            running, ended = await self._run(command, sink or held)
        return Execution(
            exit_code=_exit_code(ended, sink or held),
            stdout=held.bytes_of("stdout"),
            stderr=held.bytes_of("stderr"),
            dropped_bytes=running.dropped_bytes,
            duration_s=round(time.monotonic() - started, 3),
            limit=_limit(running, ended),
            oom_kills=ended.oom_kills,
            refused_forks=max(ended.refused_forks, background_ended),
            background_ended=background_ended,
            host_free_bytes=ended.free_bytes,
        )

    async def end_all(self, limit: Limit) -> None:
        """Ends every process but init; the commands under way say that the limit did it."""
        for running in self._running.values():
            running.limit = limit
        await self._link.ask(lambda number: frames.frame(number, ToInit.END_ALL))

    async def end_background(self) -> None:
        """Ends what commands that are over have left running."""
        await self._link.ask(lambda number: frames.frame(number, ToInit.END_BACKGROUND))

    async def look(self, *, holes: bool = False) -> Disk:
        """Asks init about the disk."""
        return Disk.of(await self._link.ask(lambda number: frames.look(number, holes=holes)))

    async def _run(self, command: Command, sink: Sink) -> tuple[_Running, Ended]:
        number = self._link.next_number()
        message = frames.request(number, command)
        running = _Running(sink, asyncio.get_running_loop().create_future())
        self._running[number] = running
        feeding = None
        try:
            await self._link.write(message)
            if command.stdin:
                feeding = asyncio.create_task(self._feed(number, running, command.stdin))
            async with asyncio.timeout(command.timeout_s + GRACE_S):
                ended = await asyncio.shield(running.ended)
        except (TimeoutError, ConnectionError) as error:
            raise await self._link.why_lost() from error
        except asyncio.CancelledError:
            await self._end(number, running)
            raise
        finally:
            if feeding is not None:
                feeding.cancel()
        if running.failure is not None:
            raise running.failure
        return running, ended

    async def _end(self, number: int, running: _Running) -> None:
        """Asks for a command's end; the next command waits for it."""
        if running.ended.done():
            return
        self._ending.add(running.ended)
        running.ended.add_done_callback(self._ending.discard)
        with suppress(ConnectionError):
            await self._link.write(frames.frame(number, ToInit.END_COMMAND))

    async def _feed(self, number: int, running: _Running, content: bytes) -> None:
        """Sends the input as far ahead as init has room for."""
        sent = 0
        with suppress(ConnectionError):  # whoever waits for the command's end learns of it
            while sent < len(content):
                if running.window_bytes == 0:
                    running.more_window.clear()
                    await running.more_window.wait()
                size = min(running.window_bytes, INPUT_CHUNK_BYTES, len(content) - sent)
                running.window_bytes -= size
                chunk = content[sent : sent + size]
                await self._link.write(frames.frame(number, ToInit.INPUT, chunk))
                sent += size
            await self._link.write(frames.frame(number, ToInit.INPUT_END))

    def _lose(self) -> None:
        """Nobody will answer any more."""
        for running in self._running.values():
            if not running.ended.done():
                running.ended.set_exception(ConnectionError("the connection ended"))
                running.ended.exception()  # whoever waited may be gone, which is no bug
        self._running.clear()

    def _take(self, frame: Frame) -> None:
        running = self._running.get(frame.number)
        if running is None:
            return
        if frame.type is FromInit.ENDED:
            del self._running[frame.number]
            if not running.ended.done():
                running.ended.set_result(Ended.of(frame.payload))
        elif frame.type is FromInit.CREDIT:
            running.window_bytes += frames.credit(frame.payload)
            running.more_window.set()
        elif running.failure is None:
            self._pass_on(frame, running)

    def _pass_on(self, frame: Frame, running: _Running) -> None:
        """Gives output to the sink; one that fails ends the command."""
        try:
            if frame.type is FromInit.SKIPPED:
                size_bytes, stream = frames.skipped(frame.payload)
                running.dropped_bytes += size_bytes
                running.sink.skip(STREAMS[stream], size_bytes)
            else:
                running.sink.write(STREAMS[frame.type], frame.payload)
        except (OSError, InfraFault) as failure:
            running.failure = failure
            stopping = asyncio.create_task(self._end(frame.number, running))
            self._stopping.add(stopping)
            stopping.add_done_callback(self._stopping.discard)


def _limit(running: _Running, ended: Ended) -> Limit | None:
    if ended.how is How.OUT_OF_TIME:
        return Limit.TIME
    return running.limit if ended.how is How.ON_REQUEST else None


def _exit_code(ended: Ended, sink: Sink) -> int | None:
    if ended.how is How.EXITED:
        return ended.value
    if ended.how is How.SIGNALLED:
        return SIGNAL_BASE + ended.value
    if ended.how is How.NOT_STARTED:
        reason = os.strerror(ended.value)
        sink.write("stderr", f"agent_runner: cannot start a process: {reason}\n".encode())
        return NOT_STARTED
    return None
