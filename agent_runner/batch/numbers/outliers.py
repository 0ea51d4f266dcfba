"""The episodes that took most."""

from collections.abc import Iterable, Sequence

from agent_runner.batch.entry import Entry
from agent_runner.result import Record, Status

MOST = 5


class Outlier(Record):
    """An episode worth a look; `directory` is its name below `episodes/`."""

    directory: str
    status: Status
    duration_s: float
    turns: int
    cost_usd: float | None


class Outliers(Record):
    """The first five of each order; a cost that is unknown has no place in it."""

    slowest: tuple[Outlier, ...]
    most_expensive: tuple[Outlier, ...]


def outliers(entries: Sequence[Entry]) -> Outliers:
    """The slowest and the most expensive ones."""
    by_cost = sorted(
        (entry for entry in entries if entry.usage.cost_usd),
        key=lambda entry: -(entry.usage.cost_usd or 0),
    )
    return Outliers(
        slowest=_first(sorted(entries, key=lambda entry: -entry.duration_s)),
        most_expensive=_first(by_cost),
    )


def _first(entries: Iterable[Entry]) -> tuple[Outlier, ...]:
    return tuple(
        Outlier(
            directory=entry.directory,
            status=entry.status,
            duration_s=entry.duration_s,
            turns=entry.turns,
            cost_usd=entry.usage.cost_usd,
        )
        for entry in list(entries)[:MOST]
    )
