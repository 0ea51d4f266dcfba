"""Two things done at once."""

import asyncio
from collections.abc import Coroutine
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
