"""`summary.json`: what a batch came to, made from the lines of `results.jsonl` alone.

Rates are fractions from 0 to 1, times seconds, costs US dollars. Null is what is not known or has
no value; it is never written as 0.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from agent_runner.batch.entry import Entry
from agent_runner.batch.numbers.faults import Fault, Tries, faults, tries
from agent_runner.batch.numbers.group import STATUSES, Groups, Rates, groups, rates, statuses
from agent_runner.batch.numbers.outliers import Outliers, outliers
from agent_runner.batch.numbers.pass_at import BOOTSTRAP, Bootstrap, PassAt, Tally, pass_at
from agent_runner.batch.numbers.rate import CONFIDENCE
from agent_runner.batch.numbers.times import Times, times
from agent_runner.batch.numbers.turns import Turns, turns
from agent_runner.batch.numbers.usage import Usage, usage
from agent_runner.batch.numbers.verdicts import Verdicts, verdicts
from agent_runner.errors import UsageError
from agent_runner.result import Provenance, Record, Status

SCHEMA_VERSION = 1


class Made(Record):
    """What the results were made with: each value that occurs."""

    agent_runner: tuple[str, ...]
    solver: tuple[str, ...]
    model_asked: tuple[str, ...]
    model_answered: tuple[str, ...]
    prompt_sha256: tuple[str, ...]


class Summary(Record):
    """A batch in numbers.

    Attributes:
        planned: episodes of the whole batch; `statuses` add up to it.
        tasks: that have at least one result.
        attempts: the highest one that has a result.
        confidence: of every interval.
    """

    schema_version: int = Field(default=SCHEMA_VERSION)
    planned: int
    tasks: int
    attempts: int
    statuses: dict[str, int]
    confidence: float = CONFIDENCE
    rates: Rates
    pass_at: tuple[PassAt, ...]
    bootstrap: Bootstrap
    groups: Groups
    verdicts: Verdicts
    faults: tuple[Fault, ...]
    tries: Tries
    usage: Usage
    turns: Turns
    times: Times
    outliers: Outliers
    made_with: Made

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if tuple(self.statuses) != STATUSES or sum(self.statuses.values()) != self.planned:
            raise ValueError(f"the statuses {self.statuses} are not {self.planned} episodes")
        return self


def summarise(results: Iterable[Entry], planned: int | None = None) -> Summary:
    """The numbers of a batch, whatever the order of its results.

    Args:
        planned: how many episodes there are in all; known from any result, so that it matters
            only where there is none.

    Raises:
        UsageError: they are not the results of one batch, one for each episode.
    """
    entries = sorted(results, key=lambda entry: entry.key)
    planned = _planned(entries, planned)
    missing = planned - len(entries)
    by_task = _tallies(entries)
    attempts = max((entry.attempt for entry in entries), default=0)
    return Summary(
        planned=planned,
        tasks=len(by_task),
        attempts=attempts,
        statuses=statuses(entries, missing),
        rates=rates(entries, planned),
        pass_at=tuple(pass_at(by_task, k) for k in range(1, attempts + 1)),
        bootstrap=BOOTSTRAP,
        groups=groups(entries, missing),
        verdicts=verdicts(entries, planned),
        faults=faults(entries),
        tries=tries(entries),
        usage=usage(entries),
        turns=turns(entries),
        times=times(entries),
        outliers=outliers(entries),
        made_with=_made(entries),
    )


def _planned(entries: Sequence[Entry], planned: int | None) -> int:
    """How many episodes there are in all, once the results were seen to be of one batch."""
    said = {entry.planned for entry in entries} | ({planned} - {None})
    if len(said) != 1:
        raise UsageError(
            f"these are results of several batches: of {_listed(said)} episodes"
            if said
            else "there are no results, so nobody knows how many there should be"
        )
    keys = [entry.key for entry in entries]
    for key, next_key in pairwise(keys):
        if key == next_key:
            raise UsageError(f"there are two results of {key[0]}, attempt {key[1]}")
    (known,) = said
    if known is None or len(entries) > known:
        raise UsageError(f"there are {len(entries)} results of {known} episodes")
    return known


def _listed(numbers: Iterable[int | None]) -> str:
    return " and ".join(str(number) for number in sorted(numbers, key=str))


def _tallies(entries: Sequence[Entry]) -> list[Tally]:
    """Each task with its verdicts; one that has none stands there with no attempt."""
    of: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        of[entry.task_id].append(entry)
    return [
        Tally(
            attempts=sum(entry.counts for entry in there),
            resolved=sum(entry.status is Status.RESOLVED for entry in there),
        )
        for there in of.values()
    ]


def _made(entries: Sequence[Entry]) -> Made:
    def every(value_of: Callable[[Provenance], str | None]) -> tuple[str, ...]:
        values = {value_of(entry.provenance) for entry in entries}
        return tuple(sorted(value for value in values if value is not None))

    return Made(
        agent_runner=every(lambda made: made.agent_runner),
        solver=every(lambda made: made.solver),
        model_asked=every(lambda made: made.model_asked),
        model_answered=every(lambda made: made.model_answered),
        prompt_sha256=every(lambda made: made.prompt_sha256),
    )
