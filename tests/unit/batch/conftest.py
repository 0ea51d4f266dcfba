"""A batch of small tasks whose episodes are played by an executor of the tests."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from agent_runner.batch.directory import BatchDir, new_batch_dir, task_lines
from agent_runner.batch.entry import Entry
from agent_runner.batch.events import EpisodeStep, Event
from agent_runner.batch.identity import facts_of
from agent_runner.batch.order import Capacity, Order, Tell
from agent_runner.batch.plan import DEFAULT_AGAIN, Plan, plan_of, take_up
from agent_runner.batch.run import Batch
from agent_runner.batch.settings import BatchConfig
from agent_runner.draft import Draft
from agent_runner.errors import InfraFault, ProviderFault
from agent_runner.result import Grade, Result, Status, TestList
from agent_runner.run_dir import create
from agent_runner.stages import Stages
from agent_runner.task import Located, Task

LISTS = {"FAIL_TO_PASS": TestList(), "PASS_TO_PASS": TestList()}


def grade(*, resolved: bool) -> Grade:
    return Grade.model_validate(
        {"resolved": resolved, "official": resolved, "suspect": False, "patch_applied": True}
        | LISTS
        | {"exit_code": 0, "network": "closed"}
    )


def draft_of(order: Order) -> Draft:
    draft = Draft(order.task, order.config, Stages(0.0))
    draft.provenance["layer_key"] = "layer"
    return draft


def resolved(order: Order) -> Result:
    """A result as a run of the order would write it."""
    draft = draft_of(order)
    draft.grade, draft.status, draft.patch = grade(resolved=True), Status.RESOLVED, b"patch\n"
    return draft.write(create(order.task.slug, Path(order.directory)))


def unresolved(order: Order) -> Result:
    draft = draft_of(order)
    draft.grade, draft.status = grade(resolved=False), Status.UNRESOLVED
    return draft.write(create(order.task.slug, Path(order.directory)))


def failing(fault: InfraFault | ProviderFault) -> Callable[[Order], Result]:
    def failed(order: Order) -> Result:
        draft = draft_of(order)
        draft.fail(fault)
        return draft.write(create(order.task.slug, Path(order.directory)))

    return failed


Play = Callable[[Order], Result | Awaitable[Result]]


@dataclass
class Played:
    """An executor whose episodes are functions; the last one plays for ever."""

    plays: dict[str, list[Play]] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    recoveries: int = 0
    at_once: int = 0
    most_at_once: int = 0
    broken: InfraFault | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    async def capacity(self) -> Capacity:
        return Capacity(asked=2, episodes=2, containers=2, starts=1, ahead=0, builds=1, gradings=1)

    async def run(self, order: Order, tell: Tell) -> Result:
        self.orders.append(Order.model_validate_json(order.model_dump_json()))
        tell(EpisodeStep(task_id=order.task.task_id, attempt=order.attempt, text="playing"))
        plays = self.plays.get(order.task.task_id, [resolved])
        play = plays.pop(0) if len(plays) > 1 else plays[0]
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            played = play(order)
            return played if isinstance(played, Result) else await played
        finally:
            self.at_once -= 1

    async def recovered(self) -> None:
        self.recoveries += 1
        if self.broken is not None:
            raise self.broken


@dataclass
class Bench:
    """One batch directory, and processes that work on it one after the other."""

    path: Path
    config: BatchConfig
    tasks: list[Located]
    executor: Played = field(default_factory=Played)
    events: list[Event] = field(default_factory=list)

    def plan(self) -> Plan:
        facts = facts_of(self.config)
        lines = task_lines(self.tasks)
        directory = BatchDir(self.path)
        if not self.path.exists():
            directory = new_batch_dir(self.path, facts, lines, "")
        return plan_of(directory, self.config, facts, lines)

    async def run(self, again: frozenset[str] = DEFAULT_AGAIN, at_once: int = 2) -> Batch:
        plan = self.plan()
        done, waiting = take_up(plan, again)
        batch = Batch(plan, self.executor, self.events.append, done)
        async with asyncio.timeout(10):
            await batch.run(waiting, at_once)
        return batch

    @property
    def results(self) -> list[Entry]:
        """What the journal says."""
        return BatchDir(self.path).results.read()

    @property
    def ran(self) -> list[tuple[str, int, int]]:
        """Task, attempt and try of each episode that was run."""
        return [(order.task.task_id, order.attempt, order.tries) for order in self.executor.orders]


MakeBench = Callable[..., Bench]


@pytest.fixture
def bench(tmp_path: Path) -> MakeBench:
    """Makes a batch of the named tasks."""

    def make(*names: str, **config: object) -> Bench:
        settings = BatchConfig.model_validate(
            {"tasks": {"source": {"type": "seeds"}}, "solver": "none", **config}
        )
        tasks = [Located(Task(task_id=name, repo="r"), "/r") for name in names]
        return Bench(tmp_path / "batch", settings, tasks)

    return make
