"""The callers that wait at a gate, first come first served."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from agent_runner.errors import ProviderFault
from agent_runner.provider.traffic.window import Entry

Deadline = Callable[[float, ProviderFault], float]
"""From the moment since when the endpoint fails, and how, to the moment a caller gives up."""


@dataclass(frozen=True)
class Pass:
    """Leave to send one request; given back by `answered`, `failed` or `abandoned` of the gate."""

    model: str
    entry: Entry
    is_probe: bool


@dataclass(frozen=True, eq=False)
class Waiter:
    """One caller; `let_in` is done with its pass, with a fault, or by its cancellation."""

    model: str
    deadline: Deadline
    let_in: "asyncio.Future[Pass]"


class Line:
    """The queue itself; a cancelled waiter stands in it until it leaves or is passed over."""

    def __init__(self) -> None:
        self._waiters: deque[Waiter] = deque()

    def __len__(self) -> int:
        return len(self._waiters)

    def __iter__(self) -> Iterator[Waiter]:
        """Go through those there are now, whoever leaves meanwhile."""
        return iter(tuple(self._waiters))

    def join(self, model: str, deadline: Deadline) -> Waiter:
        """Stand at the end."""
        waiter = Waiter(model, deadline, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Go away, if it still stands there."""
        with suppress(ValueError):
            self._waiters.remove(waiter)

    def next(self) -> Waiter | None:
        """Take out the first that still wants to go."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.let_in.done():
                return waiter
        return None

    def fail(self, waiter: Waiter, fault: ProviderFault) -> None:
        """Send one away."""
        self.leave(waiter)
        if not waiter.let_in.done():
            waiter.let_in.set_exception(fault)
