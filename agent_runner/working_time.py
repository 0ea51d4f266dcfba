"""A time limit whose clock stands still while somebody else is the one who is late."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

_STANDSTILL_S = 1.0


class WorkingLimit:
    """Like `asyncio.timeout`, over the seconds that count.

    Args:
        not_counted_s: how many of the seconds since the start do not count, so far. It may also
            take some back; whoever does calls `look`.
        stands: whether the clock stands still now; whoever lets it go on calls `look`.

    Raises:
        TimeoutError: on leaving, the limit being reached; `expired` says so then.
    """

    def __init__(
        self, limit_s: float, not_counted_s: Callable[[], float], stands: Callable[[], bool]
    ) -> None:
        self._limit_s = limit_s
        self._not_counted_s = not_counted_s
        self._stands = stands
        self._began_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._began_s = asyncio.get_running_loop().time() - self._not_counted_s()
        self.look()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        await self._timeout.__aexit__(kind, error, traceback)

    def expired(self) -> bool:
        """Whether the limit was reached."""
        return self._timeout.expired()

    def look(self) -> None:
        """Look at the clock now, and again when the limit may be reached."""
        if self._is_over:
            return
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
        left_s = self._began_s + self._limit_s + self._not_counted_s() - loop.time()
        if left_s <= 0:
            self._is_over = True
            self._timeout.reschedule(loop.time())
            return
        if self._stands():
            left_s = max(left_s, _STANDSTILL_S)  # it will not have moved much
        self._timer = loop.call_later(left_s, self.look)
