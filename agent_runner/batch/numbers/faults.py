"""What went wrong in a batch, outside the agents, and how often it was tried again."""

from collections import defaultdict
from collections.abc import Sequence

from agent_runner.batch.entry import Entry
from agent_runner.result import Record, Status

EXAMPLES = 3


class Fault(Record):
    """Episodes that ended with the same error; `examples` are the directories of the first."""

    status: Status
    kind: str
    stage: str
    episodes: int
    examples: tuple[str, ...]


class Tries(Record):
    """How often episodes were begun: all together, how many more than once, and most of one."""

    begun: int
    repeated: int
    most: int


def faults(entries: Sequence[Entry]) -> tuple[Fault, ...]:
    """The errors, the most frequent first."""
    found: dict[tuple[Status, str, str], list[str]] = defaultdict(list)
    for entry in entries:
        if entry.error is not None:
            key = entry.status, str(entry.error.kind), entry.error.stage
            found[key].append(entry.directory)
    return tuple(
        Fault(
            status=status,
            kind=kind,
            stage=stage,
            episodes=len(there),
            examples=tuple(there[:EXAMPLES]),
        )
        for (status, kind, stage), there in sorted(
            found.items(), key=lambda item: (-len(item[1]), item[0])
        )
    )


def tries(entries: Sequence[Entry]) -> Tries:
    """How often the episodes were begun."""
    begun = [entry.tries for entry in entries]
    return Tries(
        begun=sum(begun), repeated=sum(each > 1 for each in begun), most=max(begun, default=0)
    )
