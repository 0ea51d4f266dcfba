"""The layers of many tasks: some at a time, the failure of one keeps none of the others."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from agent_runner.errors import InfraFault, UsageError
from agent_runner.grading.attempt import InvalidTask
from agent_runner.observer import Observer
from agent_runner.task import Located
from tools.workspace.engine import EngineFacts
from tools.workspace.layers.instance import Instance

# What building one takes at most: a resolver, a compiler, git over a large history.
MEMORY_EACH_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Outcome:
    """How it went with one task.

    Attributes:
        state: `built`, `there` (nothing to do), or `failed`.
        tag: of the instance; "" where it failed.
        kind: of the failure; "" for none.
        trace: of a bug; "" for none.
    """

    task_id: str
    state: str
    duration_s: float
    tag: str = ""
    kind: str = ""
    message: str = ""
    trace: str = ""


# Makes the instance of a task; what it is at is told to the observer.
Make = Callable[[Located, Observer], Awaitable[Instance]]


class Steps(Observer):
    """An observer of one task among many: what it is at, and nothing else."""

    def __init__(self, told: Callable[[str], None]) -> None:
        super().__init__(quiet=True)
        self._told = told

    def show(self, text: str) -> None:
        """What is being done."""
        self._told(text)

    def complain(self, text: str) -> None:
        """What went wrong and was got round."""
        self._told(text)


@dataclass(frozen=True)
class Progress:
    """Who is told: of a task's step, and of its outcome."""

    step: Callable[[str, str], None]
    done: Callable[[Outcome], None]


def workers_for(facts: EngineFacts) -> int:
    """How many at a time the engine's machine bears."""
    return max(1, min(facts.cpus, facts.memory_bytes // MEMORY_EACH_BYTES))


def spread(located: Sequence[Located]) -> list[Located]:
    """One of each repository before the second of any: those would wait for the same layers."""
    seen: dict[str, int] = {}
    ranked = []
    for one in located:
        ranked.append((seen.setdefault(one.source, 0), one))
        seen[one.source] += 1
    return [one for _, one in sorted(ranked, key=lambda pair: pair[0])]


async def build_many(
    located: Sequence[Located], make: Make, workers: int, progress: Progress
) -> list[Outcome]:
    """Makes the instances; the outcomes are in the order of the tasks."""
    outcomes: dict[str, Outcome] = {}
    waiting = spread(located)[::-1]

    async def work() -> None:
        while waiting:
            one = waiting.pop()
            outcome = await _one(one, make, progress)
            outcomes[one.task.task_id] = outcome
            progress.done(outcome)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(workers, len(waiting))):
            group.create_task(work())
    return [outcomes[one.task.task_id] for one in located]


async def _one(located: Located, make: Make, progress: Progress) -> Outcome:
    task_id, began_s = located.task.task_id, time.monotonic()

    def failed(kind: str, message: str, trace: str = "") -> Outcome:
        text = " ".join(message.split())
        spent_s = time.monotonic() - began_s
        return Outcome(task_id, "failed", spent_s, kind=kind, message=text, trace=trace)

    try:
        instance = await make(located, Steps(lambda text: progress.step(task_id, text)))
    except InfraFault as fault:
        return failed(str(fault.kind), fault.message)
    except UsageError as error:
        return failed("usage", str(error))
    except InvalidTask as error:
        return failed("invalid_task", str(error))
    except Exception as bug:  # noqa: BLE001 - the batch boundary: the others go on
        return failed("internal", f"{type(bug).__name__}: {bug}", traceback.format_exc())
    state = "built" if instance.built else "there"
    return Outcome(task_id, state, time.monotonic() - began_s, instance.tag)
