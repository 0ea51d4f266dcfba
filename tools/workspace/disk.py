"""The disk limit of a container: its writable layer is looked at while anything may write."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aiodocker.containers import DockerContainer

from tools.workspace.channels.channel import Execution, Limit
from tools.workspace.channels.frames import Disk
from tools.workspace.channels.init_channel import InitChannel
from tools.workspace.engine import engine_errors
from tools.workspace.faults import FaultKind, InfraFault

QUICK_S = 0.1
BUSY_S = 1.0
# Nothing but what commands left in the background can write then.
IDLE_S = 5.0
HOST_RESERVE_BYTES = 256 * 1024**2
SLACK_BYTES = 1024**2


class DiskWatch:
    """Ends whatever runs in a container that holds more than its limit.

    The engine cannot enforce it: it sums the writable layer when asked, by the lengths of files, so
    init adds what open files without a name hold and takes off what sparse ones do not. A container
    over its limit may go on where it does not grow: the agent has to be able to tidy up. What is
    written between two looks is the overshoot: they come quickly after a command begins and near
    the limit, and every second while nothing is written.

    Attributes:
        most_used_bytes: the most that was seen.
    """

    def __init__(self, container: DockerContainer, channel: InitChannel, limit_bytes: int) -> None:
        self._container = container
        self._channel = channel
        self._limit_bytes = limit_bytes
        self._allowed_bytes = limit_bytes
        self._active = 0
        self._busy = asyncio.Event()
        self._fault: InfraFault | None = None
        self._looking = asyncio.Lock()
        self._last_bytes = 0
        self._last_s = 0.0
        self.most_used_bytes = 0

    async def watch(self) -> None:
        """Looks until it is cancelled; a fault is kept for whoever runs the next command."""
        pause_s = QUICK_S
        while self._fault is None:
            if not self._active and await self._was_idle():
                pause_s = QUICK_S
            await asyncio.sleep(pause_s)
            try:
                pause_s = await self._look(pause_s)
            except InfraFault as fault:
                self._fault = fault

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While a command runs."""
        self._active += 1
        self._busy.set()
        try:
            yield
        finally:
            self._active -= 1

    async def judge(self, done: Execution) -> None:
        """Tells a full disk of the host from one that the command filled.

        Raises:
            InfraFault: `host_disk_full`, or what kept the watch from looking.
        """
        free_bytes = done.host_free_bytes
        if self._fault is None and free_bytes is not None and free_bytes < HOST_RESERVE_BYTES:
            await self._look(QUICK_S)
        if self._fault is not None:
            raise self._fault

    async def _was_idle(self) -> bool:
        """Waits for a command, but not for ever; whether one came meanwhile."""
        self._busy.clear()
        try:
            async with asyncio.timeout(IDLE_S):
                await self._busy.wait()
        except TimeoutError:
            return False
        return True

    async def _look(self, pause_s: float) -> float:
        """Looks once, ends what has to end, and says how long the next look may wait."""
        async with self._looking:
            used_bytes, disk = await self._measure()
            grown_bytes, passed_s = self._growth(used_bytes)
            if used_bytes > self._allowed_bytes:
                await self._channel.end_all(Limit.DISK)
                used_bytes, disk = await self._measure()
                self._allowed_bytes = max(self._limit_bytes, used_bytes + SLACK_BYTES)
            elif disk.free_bytes < HOST_RESERVE_BYTES and used_bytes <= self._limit_bytes:
                self._fault = _host_is_full(disk.free_bytes, used_bytes)
                await self._channel.end_all(Limit.DISK)
            left_bytes = max(0, self._allowed_bytes - used_bytes)
        if grown_bytes <= 0:
            return min(BUSY_S, pause_s * 2)
        return min(BUSY_S, max(QUICK_S, passed_s * left_bytes / grown_bytes / 2))

    def _growth(self, used_bytes: int) -> tuple[int, float]:
        """Bytes since the last look, and seconds."""
        now_s = time.monotonic()
        growth = (used_bytes - self._last_bytes, now_s - self._last_s)
        self._last_bytes, self._last_s = used_bytes, now_s
        return growth

    async def _measure(self) -> tuple[int, Disk]:
        async with engine_errors("measuring a container's disk"):
            shown = await self._container.show(size=1)
        layer_bytes = int(shown.get("SizeRw") or 0)
        disk = await self._channel.look(holes=layer_bytes > self._limit_bytes)
        used_bytes = max(0, layer_bytes - disk.hole_bytes) + disk.unlinked_bytes
        self.most_used_bytes = max(self.most_used_bytes, used_bytes)
        return used_bytes, disk


def _host_is_full(free_bytes: int, used_bytes: int) -> InfraFault:
    mb = 1024**2
    message = (
        f"the engine's disk has {free_bytes // mb} MB left, {HOST_RESERVE_BYTES // mb} are needed; "
        f"the container holds {used_bytes // mb} MB, which is within its limit. `agent_runner "
        "clean` or `docker image prune` may make room"
    )
    return InfraFault(FaultKind.HOST_DISK_FULL, message)
