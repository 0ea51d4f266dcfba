"""Where the time of a batch went."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from agent_runner.batch.entry import Entry
from agent_runner.batch.numbers.amount import Amount, amount
from agent_runner.result import Record
from agent_runner.stages import NAMES, WITHIN_AGENT

HOUR_S = 3600
S_DECIMALS = 3
Span = tuple[datetime, datetime]


class Times(Record):
    """Seconds, and how much was done in an hour of them.

    Attributes:
        started_at, ended_at: of the first and the last episode.
        busy_s: the time in which at least one episode ran; a pause until a resume is not in it.
        episodes_per_hour, turns_per_hour: of that time; null where it is 0.
        episode_s: from the start of an episode to its result.
        stages: by name, over the episodes that came to it.
    """

    started_at: datetime | None
    ended_at: datetime | None
    busy_s: float
    episodes_per_hour: float | None
    turns_per_hour: float | None
    episode_s: Amount
    stages: dict[str, Amount]


def times(entries: Sequence[Entry]) -> Times:
    """Sums up the clocks of the episodes."""
    spent_s = busy_s((entry.started_at, entry.ended_at) for entry in entries)
    names = {name for entry in entries for name in entry.stages}
    order = [*NAMES, *WITHIN_AGENT, *sorted(names.difference(NAMES, WITHIN_AGENT))]
    return Times(
        started_at=min((entry.started_at for entry in entries), default=None),
        ended_at=max((entry.ended_at for entry in entries), default=None),
        busy_s=spent_s,
        episodes_per_hour=_per_hour(len(entries), spent_s),
        turns_per_hour=_per_hour(sum(entry.turns for entry in entries), spent_s),
        episode_s=amount((entry.duration_s for entry in entries), S_DECIMALS),
        stages={name: _stage(entries, name) for name in order if name in names},
    )


def busy_s(spans: Iterable[Span]) -> float:
    """How long at least one of them lasted: they overlap, and a resume leaves gaps."""
    total_s = 0.0
    reached: datetime | None = None
    for start, end in sorted(spans):
        begin = start if reached is None else max(start, reached)
        if end > begin:  # a clock that was set back makes no time
            total_s += (end - begin).total_seconds()
            reached = end
    return round(total_s, S_DECIMALS)


def _stage(entries: Sequence[Entry], name: str) -> Amount:
    return amount((entry.stages[name] for entry in entries if name in entry.stages), S_DECIMALS)


def _per_hour(count: int, spent_s: float) -> float | None:
    return round(count * HOUR_S / spent_s, 1) if spent_s else None
