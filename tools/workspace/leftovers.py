"""What runs that died left in the engine: found by label, removed; what is alive stays."""

import json
import time
from dataclasses import dataclass

from tools.workspace import labels as label
from tools.workspace.container import remove
from tools.workspace.engine import Engine, engine_errors


@dataclass(frozen=True)
class Labelled:
    """A container of ours."""

    id: str
    run: str
    role: str
    kept: bool
    running: bool
    leftover: bool


async def containers(engine: Engine, run: str | None = None) -> list[Labelled]:
    """Every container of ours, or of one run."""
    wanted = label.RUN if run is None else f"{label.RUN}={run}"
    async with engine_errors("listing containers"):
        found = await engine.docker.containers.list(
            all=True, filters=json.dumps({"label": [wanted]})
        )
    now_s = time.time()
    rows = []
    for container in found:
        labels = container["Labels"] or {}
        if not labels[label.RUN]:
            continue  # started by hand from an image of ours: not ours
        rows.append(
            Labelled(
                id=container.id,
                run=labels[label.RUN],
                role=labels.get(label.ROLE, ""),
                kept=label.KEPT in labels,
                running=container["State"] == "running",
                leftover=label.is_leftover(labels, now_s),
            )
        )
    return rows


async def sweep(engine: Engine, *, everything: bool = False) -> list[Labelled]:
    """Removes what is ours and dead, or everything of ours, and returns what it removed."""
    gone = [row for row in await containers(engine) if everything or row.leftover]
    for row in gone:
        await remove(engine, row.id)
    return gone


async def remove_run(engine: Engine, run: str, *, keep: bool = False) -> None:
    """Removes what a run of this process may have left, containers half made included."""
    for row in await containers(engine, run):
        if not (keep and row.kept):
            await remove(engine, row.id)
