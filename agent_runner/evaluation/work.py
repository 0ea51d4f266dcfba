"""What a grading works on: rows and the predictions for them, brought together and checked."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent_runner.benchmarks.swebench.predictions import (
    EMPTY,
    GOLD,
    Prediction,
    Predictions,
    read_predictions,
)
from agent_runner.benchmarks.swebench.row import Row
from agent_runner.benchmarks.swebench.subset import Subset
from agent_runner.errors import UsageError
from agent_runner.evaluation.directory import GradeFacts
from agent_runner.evaluation.item import Item
from agent_runner.grading.version import grading_version

NAMED = 10


@dataclass(frozen=True)
class Work:
    """What is to be graded, and what the file held beside it.

    Attributes:
        repeated: instances with more than one prediction, of which the last counts.
    """

    items: tuple[Item, ...]
    facts: GradeFacts
    repeated: tuple[str, ...]

    def remarks(self) -> list[str]:
        """What a person should know before it begins, a line each."""
        facts = self.facts
        missing = sorted(set(facts.selected_ids) - set(facts.submitted_ids))
        said = {
            "predictions for instances the data set does not have": facts.unknown_ids,
            "instances without a prediction": missing,
            "instances with several predictions, of which the last counts": self.repeated,
            "empty predictions, which are not run": facts.empty_ids,
        }
        return [f"{len(ids)} {what}: {named(ids)}" for what, ids in said.items() if ids]


def bring_together(subset: Subset, source: str) -> Work:
    """Reads rows and predictions.

    Args:
        source: a file, `gold` or `empty`.

    Raises:
        UsageError: one of both is wrong, or no prediction is for a chosen instance.
        InfraFault: the data set cannot be reached.
    """
    chosen = subset.ids
    if source in {GOLD, EMPTY}:
        rows = {row.instance_id: row for row in subset.rows(chosen)}
        predictions = Predictions({name: _of_row(row, source) for name, row in rows.items()})
        graded = list(chosen)
    else:
        predictions = read_predictions(Path(source))
        by_id = predictions.by_id
        graded = [name for name in chosen if name in by_id and not by_id[name].is_empty]
        rows = {row.instance_id: row for row in subset.rows(graded)}
    facts = _facts(subset, source, predictions, graded)
    items = tuple(Item.of(rows[name], predictions.by_id[name]) for name in graded)
    repeated = tuple(name for name in predictions.repeated if name in facts.submitted_ids)
    return Work(items, facts, repeated)


def _of_row(row: Row, source: str) -> Prediction:
    if source == EMPTY:
        return Prediction(row.instance_id, EMPTY, b"")
    if not row.patch:
        raise UsageError(f"{row.instance_id} lacks patch, which --predictions gold grades")
    return Prediction(row.instance_id, GOLD, row.patch.encode())


def _facts(subset: Subset, source: str, predictions: Predictions, graded: list[str]) -> GradeFacts:
    by_id = predictions.by_id
    submitted = tuple(name for name in subset.ids if name in by_id)
    unknown = sorted(set(by_id) - set(subset.opened.positions))
    if not submitted:
        raise UsageError(
            f"{source} has no prediction for the chosen instances of {subset.dataset}; it has "
            f"{named(list(by_id))}"
        )
    is_file = source not in {GOLD, EMPTY}
    dataset = Path(subset.dataset).expanduser()
    return GradeFacts(
        dataset=str(dataset.resolve()) if dataset.exists() else subset.dataset,
        split=subset.split,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        predictions=str(Path(source).resolve()) if is_file else source,
        predictions_sha256=(
            hashlib.sha256(Path(source).read_bytes()).hexdigest() if is_file else source
        ),
        model=next((each.model for each in by_id.values() if each.model), "None"),
        selected_ids=subset.ids,
        submitted_ids=submitted,
        empty_ids=tuple(sorted(set(submitted) - set(graded))),
        unknown_ids=tuple(unknown),
        grading_version=grading_version(),
    )


def named(ids: Sequence[str]) -> str:
    """Some ids, and how many more."""
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more
