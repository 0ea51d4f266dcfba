"""Which episodes a batch has, which are done, and what becomes of what a killed process left."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent_runner.batch.directory import BatchDir, TaskLine
from agent_runner.batch.entry import AGAIN, Entry
from agent_runner.batch.identity import Facts, episode_hash
from agent_runner.batch.order import Order
from agent_runner.batch.settings import BatchConfig
from agent_runner.imports import collector_paused
from agent_runner.provider.profile import Prices
from agent_runner.result import Result, Status

MISSING = "missing"
Key = tuple[str, int]


@dataclass(frozen=True)
class Planned:
    """One episode of the batch.

    Attributes:
        tries: how often it was begun before.
    """

    line: TaskLine
    attempt: int
    tries: int = 0

    @property
    def key(self) -> Key:
        """Names it."""
        return self.line.task.task_id, self.attempt

    @property
    def name(self) -> str:
        """Its directory below `episodes/`."""
        return f"{self.line.name}.{self.attempt}"


@dataclass(frozen=True)
class Plan:
    """All episodes of a batch, attempt by attempt, and how to order them.

    Attributes:
        prices: of the live model; None where there is none, or they are unknown.
    """

    directory: BatchDir
    config: BatchConfig
    facts: Facts
    episodes: tuple[Planned, ...]
    prices: Prices | None = None

    @property
    def model_name(self) -> str:
        """What predictions name as their model."""
        model = self.facts.model
        return str(model["model"]) if isinstance(model, dict) else self.config.solver

    def order(self, planned: Planned, tries: int) -> Order:
        """An episode as an executor takes it."""
        task = planned.line.task
        return Order(
            task=task,
            source=planned.line.source,
            official=planned.line.official,
            config=self.config.of(task.task_id, planned.attempt),
            attempt=planned.attempt,
            tries=tries,
            directory=str(self.directory.episode(planned.name)),
        )

    def entry(
        self, planned: Planned, tries: int, result: Result, ended_at: datetime | None = None
    ) -> Entry:
        """A result with its place in the batch."""
        ended_at = ended_at or datetime.now(UTC)
        task = planned.line.task
        return Entry(
            **dict(result),
            attempt=planned.attempt,
            tries=tries,
            episode=episode_hash(self.order(planned, tries), self.facts, result),
            planned=len(self.episodes),
            directory=planned.name,
            category=task.category,
            difficulty=task.difficulty,
            started_at=ended_at - timedelta(seconds=result.duration_s),
            ended_at=ended_at,
        )


def plan_of(
    directory: BatchDir, config: BatchConfig, facts: Facts, lines: Sequence[TaskLine],
    prices: Prices | None = None,
) -> Plan:  # fmt: skip
    """Every task's first attempt comes before any second one."""
    episodes = tuple(
        Planned(line, attempt) for attempt in range(1, config.attempts + 1) for line in lines
    )
    return Plan(directory, config, facts, episodes, prices)


def take_up(plan: Plan, again: Collection[str]) -> tuple[list[Entry], list[Planned]]:
    """What is done and what is to do, after the files of what was cut short were set aside.

    A result that a killed process wrote and did not journal is journalled now.

    Args:
        again: what is run again: statuses, and `missing` for what has no result.
    """
    directory = plan.directory
    directory.results.mend()
    directory.tries.mend()
    done = {entry.key: entry for entry in directory.results.read()}
    tried = Counter(entry.key for entry in directory.tries.read())
    for planned in plan.episodes:
        if planned.key not in done:
            _recover(plan, planned, done, tried)
    repeated = [p for p in plan.episodes if p.key in done and done[p.key].status in again]
    for planned in repeated:
        entry = done.pop(planned.key)
        directory.tries.append(entry)
        tried[planned.key] += 1
        directory.set_aside(planned.name)
    if repeated:
        directory.results.replace(done.values())
    missing = [p for p in plan.episodes if p.key not in done]
    chosen = missing if MISSING in again else [p for p in missing if p in repeated]
    return list(done.values()), [_with_tries(p, tried) for p in chosen]


def _recover(plan: Plan, planned: Planned, done: dict[Key, Entry], tried: Counter[Key]) -> None:
    directory = plan.directory
    place = directory.episode(planned.name)
    if not place.exists():
        return
    tries = tried[planned.key] + 1
    result = directory.result(planned.name)
    result = result or _remains(plan, planned, tries)
    ended_at = datetime.fromtimestamp(place.stat().st_mtime, UTC)
    entry = plan.entry(planned, tries, result, ended_at)
    if result.status == Status.INTERRUPTED:
        directory.tries.append(entry)
        tried[planned.key] += 1
        directory.set_aside(planned.name)
    else:
        directory.results.append(entry)
        done[planned.key] = entry


def _remains(plan: Plan, planned: Planned, tries: int) -> Result:
    """What is left of a try that wrote no result."""
    with collector_paused():  # half a second, which a batch that is over need not wait for
        from agent_runner.batch.remains import remains_of
    return remains_of(plan.order(planned, tries), plan.prices)


def _with_tries(planned: Planned, tried: Mapping[Key, int]) -> Planned:
    return Planned(planned.line, planned.attempt, tried.get(planned.key, 0))


DEFAULT_AGAIN = frozenset({MISSING, *AGAIN})
"""What `--resume` runs without being told more: never a failure of the agent's own."""
