"""A time limit whose clock stands still while somebody else is the one who is late."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def working_limit(
    limit_s: float, not_counted_s: Callable[[], float]
) -> AsyncIterator[asyncio.Timeout]:
    """Like `asyncio.timeout`, over the seconds that count.

    Args:
        not_counted_s: how many of the seconds since the start do not count, so far.

    Raises:
        TimeoutError: the limit is reached; the yielded timeout has `expired()` then.
    """
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    timer: asyncio.TimerHandle | None = None

    def look() -> None:
        nonlocal timer
        left_s = began_s + limit_s + not_counted_s() - loop.time()
        if left_s > 0:
            timer = loop.call_later(left_s, look)
        else:
            timeout.reschedule(loop.time())

    async with asyncio.timeout(None) as timeout:
        look()
        try:
            yield timeout
        finally:
            if timer is not None:
                timer.cancel()
