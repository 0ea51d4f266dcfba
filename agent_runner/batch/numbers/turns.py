"""Where the turns of a batch's agents went."""

from collections import Counter
from collections.abc import Sequence

from agent_runner.batch.entry import Entry
from agent_runner.batch.numbers.amount import Amount, amount
from agent_runner.result import Record


class Count(Record):
    """How often; `per_100_turns` is null where there were no turns."""

    count: int
    per_100_turns: float | None


class Turns(Record):
    """Counts in the words of `tool_use` and `repairs` of a result.

    Attributes:
        turns: over the episodes that had an agent take one.
    """

    turns: Amount
    calls: dict[str, Count]
    failed: Count
    refused_patches: Count
    repeated: Count
    texts: Count
    repairs: dict[str, Count]


def turns(entries: Sequence[Entry]) -> Turns:
    """Counts what the turns of all episodes were spent on."""
    taken = sum(entry.turns for entry in entries)
    uses = [entry.tool_use for entry in entries]
    calls: Counter[str] = Counter()
    repairs: Counter[str] = Counter()
    for entry in entries:
        calls.update(entry.tool_use.calls)
        repairs.update(entry.repairs)

    def count(found: int) -> Count:
        return Count(count=found, per_100_turns=round(100 * found / taken, 2) if taken else None)

    return Turns(
        turns=amount((entry.turns for entry in entries if entry.turns), 1),
        calls={name: count(calls[name]) for name in sorted(calls)},
        failed=count(sum(use.failed for use in uses)),
        refused_patches=count(sum(use.refused_patches for use in uses)),
        repeated=count(sum(use.repeated for use in uses)),
        texts=count(sum(use.texts for use in uses)),
        repairs={name: count(repairs[name]) for name in sorted(repairs)},
    )
