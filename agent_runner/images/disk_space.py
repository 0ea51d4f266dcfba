"""Whether what is about to be built fits the engine's disk, with the arithmetic."""

import asyncio
import shutil
from pathlib import Path

from agent_runner.config import RunConfig
from agent_runner.errors import FaultKind, InfraFault
from tools.workspace.engine import Engine

MB = 1_000_000
# At most, beside what stays, from measured layers of the public data sets.
BASE_MB = 900
ENVIRONMENT_MB = 1500
PUBLISHED_MB = 4000
# A history lies in a temporary archive, in the container and, while it is committed, twice more.
HISTORY_COPIES = 4


async def check_disk(
    engine: Engine, config: RunConfig, *, base: bool = False, mirror: Path | None = None,
    published: bool = False,
) -> None:  # fmt: skip
    """Refuses to build what cannot fit; a remote engine's disk is not seen.

    Args:
        base: a base image has to be built.
        mirror: of the repository whose layers have to be.
        published: a published image has to be pulled in place of an environment.

    Raises:
        InfraFault: `host_disk_full`.
    """
    if not engine.is_local:
        return
    parts: dict[str, int] = {}
    if base:
        parts["the base image"] = BASE_MB
    if published:
        parts["the published image"] = PUBLISHED_MB
    elif mirror is not None:
        parts["the environment"] = ENVIRONMENT_MB
    if mirror is not None:
        mirror_mb = await asyncio.to_thread(_packs_mb, mirror)
        parts[f"the history ({HISTORY_COPIES} x {mirror_mb} MB)"] = HISTORY_COPIES * mirror_mb
    root = (await engine.facts()).root
    free_mb = shutil.disk_usage(root).free // MB
    needed_mb = sum(parts.values())
    wanted_mb = max(needed_mb, config.images.min_free_mb)
    if free_mb < wanted_mb:
        sums = " + ".join(f"{size_mb} MB for {part}" for part, size_mb in parts.items())
        message = (
            f"{root} has {free_mb} MB free; {wanted_mb} MB are needed ({sums}; "
            f"images.min_free_mb={config.images.min_free_mb}). `agent_runner images prune`, "
            "`agent_runner clean` or `docker image prune` may make room"
        )
        raise InfraFault(FaultKind.HOST_DISK_FULL, message)


def _packs_mb(mirror: Path) -> int:
    return sum(file.stat().st_size for file in mirror.glob("objects/pack/*")) // MB
