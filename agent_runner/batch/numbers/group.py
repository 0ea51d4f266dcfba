"""Episodes counted by status, and divided by what they have in common."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from agent_runner.batch.entry import Entry
from agent_runner.batch.numbers.rate import Rate, rate
from agent_runner.result import Record, Status

MISSING = "missing"
STATUSES = (*(str(status) for status in Status), MISSING)
NameOf = Callable[[Entry], str | None]


class Rates(Record):
    """A resolved rate in both denominators.

    Its interval takes episodes for independent. Several attempts at one task are not: with them it
    is too narrow, and pass@1's is the one to quote.

    Attributes:
        of_verdicts: of the episodes that say something of the agent (resolved and unresolved).
        of_all: of all that were planned; null for a part of a batch with missing episodes, since
            nobody can say whether they belong to it.
    """

    of_verdicts: Rate
    of_all: Rate | None


class Group(Record):
    """The episodes that have something in common; `name` is null where they do not say."""

    name: str | None
    episodes: int
    statuses: dict[str, int]
    rates: Rates


class Groups(Record):
    """The batch divided in four ways; empty where no episode says to what it belongs."""

    repository: tuple[Group, ...]
    category: tuple[Group, ...]
    difficulty: tuple[Group, ...]
    termination: tuple[Group, ...]


def statuses(entries: Sequence[Entry], missing: int) -> dict[str, int]:
    """How many episodes have each status; those that have none are `missing`."""
    found = Counter(str(entry.status) for entry in entries)
    found[MISSING] = missing
    return {status: found[status] for status in STATUSES}


def rates(entries: Sequence[Entry], of_all: int | None, *, suspects: bool = True) -> Rates:
    """The resolved rate.

    Args:
        of_all: how many episodes were planned; None where nobody knows.
        suspects: False counts suspect verdicts as if they were not resolved.
    """
    resolved = sum(
        entry.status is Status.RESOLVED and (suspects or not is_suspect(entry)) for entry in entries
    )
    verdicts = sum(entry.counts for entry in entries)
    return Rates(
        of_verdicts=rate(resolved, verdicts),
        of_all=None if of_all is None else rate(resolved, of_all),
    )


def is_suspect(entry: Entry) -> bool:
    """Whether something may have made its verdict wrong."""
    return entry.grade is not None and entry.grade.suspect


def groups(entries: Sequence[Entry], missing: int) -> Groups:
    """The batch divided in the four ways of the summary."""

    def divided(name_of: NameOf) -> tuple[Group, ...]:
        return _divided(entries, name_of, missing)

    return Groups(
        repository=divided(lambda entry: entry.repo or None),
        category=divided(lambda entry: entry.category or None),
        difficulty=divided(lambda entry: entry.difficulty or None),
        termination=divided(lambda entry: entry.termination),
    )


def _divided(entries: Sequence[Entry], name_of: NameOf, missing: int) -> tuple[Group, ...]:
    parts: dict[str | None, list[Entry]] = defaultdict(list)
    for entry in entries:
        parts[name_of(entry)].append(entry)
    if set(parts) <= {None}:
        return ()
    return tuple(
        Group(
            name=name,
            episodes=len(parts[name]),
            statuses=statuses(parts[name], 0),
            rates=rates(parts[name], None if missing else len(parts[name])),
        )
        for name in sorted(parts, key=lambda name: (name is None, name or ""))
    )
