"""How much of what is scarce on a machine goes on at once, whichever episode asks for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass


class Gate:
    """Lets so many through at once, in the order they came; None lets everybody through."""

    def __init__(self, places: int | None = None) -> None:
        self._places = asyncio.Semaphore(places) if places is not None else None

    @asynccontextmanager
    async def passed(self, waiting: Callable[[], object] | None = None) -> AsyncIterator[None]:
        """Holds a place.

        Args:
            waiting: told where there is none yet.
        """
        if self._places is None:
            yield
            return
        if waiting is not None and self._places.locked():
            waiting()
        async with self._places:
            yield


@dataclass(frozen=True)
class Gates:
    """The gates of one process.

    Attributes:
        builds: layers in the making.
        containers: containers that agents work in.
        gradings: fresh containers of gradings, controls included. They are no part of
            `containers`: an episode that holds one there waits for one here.
    """

    builds: Gate
    containers: Gate
    gradings: Gate


def open_gates() -> Gates:
    """Those of a single run, which has nobody to wait for."""
    return Gates(Gate(), Gate(), Gate())
