"""Where rows of SWE-bench come from: a file of this machine."""

import json
from pathlib import Path

from pydantic import ValidationError

from agent_runner.benchmarks.swebench.row import Row
from agent_runner.document import explain
from agent_runner.errors import UsageError
from agent_runner.nearest import nearest


def load_rows(dataset: str) -> dict[str, Row]:
    """The rows of a data set, by instance id.

    Raises:
        UsageError: it cannot be read, or a row is wrong.
    """
    path = Path(dataset)
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the data set {path}: {error}") from error
    rows = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                row = Row.model_validate(json.loads(line))
            except json.JSONDecodeError as error:
                raise UsageError(f"{path}, line {number}: no JSON: {error.msg}") from error
            except ValidationError as error:
                raise UsageError(
                    f"{path}, line {number}: {explain(error, Row.model_fields)}"
                ) from error
            rows[row.instance_id] = row
    return rows


def find_row(dataset: str, instance_id: str) -> Row:
    """The row with an id.

    Raises:
        UsageError: there is none; the nearest ids are named.
    """
    rows = load_rows(dataset)
    if instance_id in rows:
        return rows[instance_id]
    hint = nearest(instance_id, list(rows)) or f"; it has {', '.join(list(rows)[:10])}"
    raise UsageError(f"{dataset} has no instance {instance_id!r}{hint}")
