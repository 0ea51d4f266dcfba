"""How much of what is scarce on a machine goes on at once, whichever episode asks for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

TOLD_EVERY_S = 30.0


class Gate:
    """Lets so many through at once, in the order they came; None lets everybody through."""

    def __init__(self, places: int | None = None, *, told_every_s: float = TOLD_EVERY_S) -> None:
        self._places = asyncio.Semaphore(places) if places is not None else None
        self._told_every_s = told_every_s

    @asynccontextmanager
    async def passed(self, waiting: Callable[[], object] | None = None) -> AsyncIterator[None]:
        """Holds a place.

        Args:
            waiting: told where there is none yet, and again and again until there is: who waits
                here hangs on others, and does not hang.
        """
        if self._places is None:
            yield
            return
        await self._acquire(self._places, waiting or _nobody)
        try:
            yield
        finally:
            self._places.release()

    async def _acquire(self, places: asyncio.Semaphore, waiting: Callable[[], object]) -> None:
        if not places.locked():
            await places.acquire()
            return
        place = asyncio.create_task(places.acquire())
        try:
            while not place.done():
                waiting()
                await asyncio.wait({place}, timeout=self._told_every_s)
        except BaseException:
            # Cut short; a place that came in this very moment goes to the next one.
            if not place.cancel() and not place.cancelled():
                places.release()
            raise


def _nobody() -> None:
    """Is told."""


@dataclass(frozen=True)
class Gates:
    """The gates of one process.

    Attributes:
        builds: layers in the making.
        starts: of agents' containers. Each takes a good part of a core: all at once would all be
            ready late, and their agents would work in step.
        containers: of agents, those included that nobody works in yet, or any more.
        work: containers in which somebody works.
        gradings: fresh containers of gradings, controls included. They are no part of
            `containers`: controls run while their episode holds one there.
    """

    builds: Gate
    starts: Gate
    containers: Gate
    work: Gate
    gradings: Gate


def open_gates() -> Gates:
    """Those of a single run, which has nobody to wait for."""
    return Gates(Gate(), Gate(), Gate(), Gate(), Gate())
