"""What an executor takes and promises."""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from agent_runner.batch.events import Event
from agent_runner.config import RunConfig
from agent_runner.result import Record, Result
from agent_runner.task import Located, Official, Task

Tell = Callable[[Event], None]


class Order(Record):
    """One episode to run, as plain data: it can be sent to another machine as JSON.

    Attributes:
        source: of the repository, see `Located`.
        attempt: of the task, from 1.
        tries: how often this episode has been begun, this time included.
        directory: where its files go; new or empty.
    """

    task: Task
    source: str
    official: Official | None
    config: RunConfig
    attempt: int
    tries: int
    directory: str

    @property
    def located(self) -> Located:
        """The task and its repository."""
        return Located(self.task, self.source, self.official)


class Capacity(Record):
    """What was asked for and what the machine bears of it.

    Attributes:
        episodes: begun and not over: besides those at work and made ready, as many are graded or
            wait for it, so that slow gradings leave no place to work empty.
        containers: in which somebody works.
        starts: containers that are started at once.
        ahead: further ones, made ready or having their patch collected.
        why: one line where less was granted than asked for; "" otherwise.
    """

    asked: int
    episodes: int
    containers: int
    starts: int
    ahead: int
    builds: int
    gradings: int
    why: str = ""


class BatchPaused(Exception):
    """An episode ended because the batch may go no further; the message says why."""


class Executor(Protocol):
    """Runs episodes; use it as `async with`.

    `run` may be called many times at once. Whatever ends an episode is in its result, but for a
    cancellation and what is named below.
    """

    async def __aenter__(self) -> Self:
        """Opens what episodes share.

        Raises:
            InfraFault: the world is not as it must be.
        """
        ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes it."""
        ...

    async def capacity(self) -> Capacity:
        """How much it runs at once.

        Raises:
            UsageError: one container alone is more than the machine has.
        """
        ...

    async def run(self, order: Order, tell: Tell) -> Result:
        """Runs one episode; what happens on the way is told as events of a batch.

        Raises:
            BatchPaused: a budget of the batch is used up; the episode has no result.
        """
        ...

    async def recovered(self) -> None:
        """Returns once the world answers again, or has not for long enough.

        Raises:
            InfraFault: it does not.
        """
        ...
