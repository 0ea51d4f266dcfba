"""What was changed on a container's disk, as seen from outside."""

import asyncio
import os
from pathlib import Path

from tools.workspace.container import Container
from tools.workspace.engine import Engine, engine_errors


async def changed_paths(engine: Engine, container: Container) -> list[str]:
    """Every path that was made, changed or removed since the container's image.

    Nothing inside can hide one, but for what lies in memory. The engine compares whole file
    systems, which takes a second; where the writable layer itself can be read, that says it.

    Raises:
        InfraFault: the container is gone, or the engine does not answer.
    """
    async with engine_errors("looking for changed files"):
        shown = await engine.docker.containers.container(container.id).show()
        layer = (shown.get("GraphDriver") or {}).get("Data") or {}
        upper = Path(layer.get("UpperDir") or "/nowhere")
        if engine.is_local and os.access(upper, os.R_OK | os.X_OK):
            return await asyncio.to_thread(_below, upper)
        async with engine.docker._query(f"containers/{container.id}/changes") as response:
            rows = await response.json(content_type=None)
    return [str(row["Path"]) for row in rows or []]


def _below(upper: Path) -> list[str]:
    """Paths of an overlay's upper directory; what was removed stands there as a device."""
    found = []
    for directory, directories, files in os.walk(upper):
        inside = f"/{Path(directory).relative_to(upper)}/".replace("/./", "/")
        found += [f"{inside}{name}" for name in (*directories, *files)]
    # A name may be any bytes; what is said of it goes into files of UTF-8.
    return sorted(os.fsencode(path).decode("utf-8", "replace") for path in found)
