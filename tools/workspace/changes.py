"""What was changed on a container's disk, as the engine sees it from outside."""

from tools.workspace.container import Container
from tools.workspace.engine import Engine, engine_errors


async def changed_paths(engine: Engine, container: Container) -> list[str]:
    """Every path that was made, changed or removed since the container's image.

    Nothing inside can hide one, but for what lies in memory.

    Raises:
        InfraFault: the container is gone, or the engine does not answer.
    """
    async with (
        engine_errors("looking for changed files"),
        engine.docker._query(f"containers/{container.id}/changes") as response,
    ):
        rows = await response.json(content_type=None)
    return [str(row["Path"]) for row in rows or []]
