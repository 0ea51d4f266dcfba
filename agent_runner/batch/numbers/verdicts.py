"""How far the verdicts of a batch can be trusted."""

from collections import Counter
from collections.abc import Sequence

from agent_runner.batch.entry import Entry
from agent_runner.batch.numbers.group import Rates, is_suspect, rates
from agent_runner.result import Controls, Record, Status

CONTROLLED = Controls(gold="passed", empty="passed")


class Verdicts(Record):
    """Counts of the episodes that are resolved or unresolved.

    Attributes:
        first_run_resolved: by the task's rules alone, before lone failures ran again.
        reran: for which a lone failure ran again.
        network_open: whose grading needed the package index.
        controlled: whose task was seen to resolve with gold and not without it.
        suspect_resolved, suspect_unresolved: that something may have made wrong.
        without_suspects: the rates if no suspect verdict counted as resolved.
        hints: what makes them suspect: how many episodes have each kind.
    """

    first_run_resolved: int
    reran: int
    network_open: int
    controlled: int
    suspect_resolved: int
    suspect_unresolved: int
    without_suspects: Rates
    hints: dict[str, int]


def verdicts(entries: Sequence[Entry], planned: int) -> Verdicts:
    """What is to be known of the verdicts of a batch."""
    counting = [entry for entry in entries if entry.counts]
    grades = [entry.grade for entry in counting if entry.grade is not None]
    suspects = Counter(entry.status for entry in counting if is_suspect(entry))
    hints = Counter(
        kind for entry in counting for kind in {hint.kind for hint in entry.isolation.exploit_hints}
    )
    return Verdicts(
        first_run_resolved=sum(grade.official for grade in grades),
        reran=sum(bool(grade.reran) for grade in grades),
        network_open=sum(grade.network == "open" for grade in grades),
        controlled=sum(grade.controls == CONTROLLED for grade in grades),
        suspect_resolved=suspects[Status.RESOLVED],
        suspect_unresolved=suspects[Status.UNRESOLVED],
        without_suspects=rates(entries, planned, suspects=False),
        hints=dict(sorted(hints.items())),
    )
