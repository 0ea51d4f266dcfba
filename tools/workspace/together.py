"""Two things done at once."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar

First = TypeVar("First")
Second = TypeVar("Second")


async def together(
    first: Coroutine[None, None, First], second: Coroutine[None, None, Second]
) -> tuple[First, Second]:
    """Both at once; where one fails the other ends too."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = group.create_task(first), group.create_task(second)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return tasks[0].result(), tasks[1].result()


@asynccontextmanager
async def beside(work: Coroutine[None, None, First]) -> AsyncIterator[asyncio.Task[First]]:
    """Does something beside the block, and no longer than it."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
