"""The connection to the init of a container: frames out, frames in, questions, the lease."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import aiohttp
from aiodocker.containers import DockerContainer
from aiodocker.stream import Stream

from tools.workspace.channels import frames
from tools.workspace.channels.frames import Frame, FromInit
from tools.workspace.channels.lost import why_lost
from tools.workspace.engine import engine_errors, let_go
from tools.workspace.faults import InfraFault

# How long init may take to answer before somebody asks what is the matter.
GRACE_S = 10.0
RENEWALS_PER_LEASE = 4
STDERR = 2


class InitLink:
    """One connection to a container's PID 1, opened before the container starts.

    Args:
        lease_s: seconds after which the container ends by itself where nobody renews; 0 for never.
        take: gets every frame that answers no question, in order.
        lost: told once that nothing will come any more.
    """

    def __init__(
        self, container: DockerContainer, lease_s: float,
        take: Callable[[Frame], None], lost: Callable[[], None],
    ) -> None:  # fmt: skip
        self.container = container
        self._lease_s = lease_s
        self._take = take
        self._lost = lost
        self._stream: Stream | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._number = 0
        self._said = b""
        self._open = False

    async def open(self) -> None:
        """Connects; from now on the lease is renewed.

        Raises:
            InfraFault: the engine does not answer, or the container is gone.
        """
        async with engine_errors("connecting to a container"):
            stream = self.container.attach(stdin=True, stdout=True, stderr=True)
            self._stream = await stream.__aenter__()
        self._open = True
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._renew())]

    async def close(self) -> None:
        """Disconnects; the container lives on as long as its lease."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._stream is not None:
            await let_go(self._stream)

    def next_number(self) -> int:
        """A number that no command or question has had."""
        self._number += 1
        return self._number

    async def write(self, message: bytes) -> None:
        """Sends a message.

        Raises:
            ConnectionError: the connection is over.
        """
        if self._stream is None or not self._open:
            raise ConnectionError("not connected")
        try:
            await self._stream.write_in(message)
        except (aiohttp.ClientError, AssertionError, RuntimeError) as error:
            raise ConnectionError(str(error)) from error

    async def ask(self, message: Callable[[int], bytes]) -> bytes:
        """Sends a question and returns the answer's payload.

        Raises:
            InfraFault: there is none; see `why_lost`.
        """
        number = self.next_number()
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self.write(message(number))
            async with asyncio.timeout(GRACE_S):
                return await answer
        except (TimeoutError, ConnectionError) as error:
            raise await self.why_lost() from error
        finally:
            del self._answers[number]

    async def why_lost(self) -> InfraFault:
        """The fault for a container that does not answer."""
        return await why_lost(self.container, self._said)

    async def _renew(self) -> None:
        while self._lease_s > 0:
            await asyncio.sleep(self._lease_s / RENEWALS_PER_LEASE)
            with suppress(ConnectionError):  # the reader finds out and says so
                await self.write(frames.lease(0, self._lease_s))

    async def _read(self) -> None:
        assert self._stream is not None, "opened before it is read"
        cutter = frames.Frames()
        try:
            while (message := await self._stream.read_out()) is not None:
                if message.stream == STDERR:
                    self._said = (self._said + message.data)[-500:]
                    continue
                for frame in cutter.feed(message.data):
                    self._dispatch(frame)
        except (aiohttp.ClientError, ConnectionError) as error:
            self._said += str(error).encode()
        finally:
            self._open = False
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ConnectionError("the connection to the container ended"))
            self._lost()

    def _dispatch(self, frame: Frame) -> None:
        if frame.type not in {FromInit.ALL_ENDED, FromInit.LOOKED}:
            self._take(frame)
            return
        answer = self._answers.get(frame.number)
        if answer is not None and not answer.done():
            answer.set_result(frame.payload)
