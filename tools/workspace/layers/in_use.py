"""Which layers runs work with: as long as anybody does, nobody removes them."""

import asyncio
import os
import re
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Self

from aiodocker.exceptions import DockerError

from tools.workspace.engine import Engine, engine_errors
from tools.workspace.shared_lock import held_alone, hold_shared

# Held by whoever builds: what a new layer is about to stand on has no name here yet.
BUILDING = "building"


class InUse:
    """What one run holds; use as a context manager, which lets go of everything.

    A layer that a run built which does not keep it is marked as passing: of the runs that work with
    it the last one removes it. What `images build` or a run that keeps its layers made bears no
    mark. The locks are files, so they end with the process that holds them.
    """

    def __init__(self, home: Path) -> None:
        self._directory = home / "in_use"
        self._held: dict[str, IO[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for tag in list(self._held):
            self.release(tag)

    async def hold(self, tag: str) -> None:
        """From now on nobody removes the image; waits while somebody does."""
        if tag not in self._held:
            self._held[tag] = await asyncio.to_thread(self._shared, tag)

    def last_used_s(self, tag: str) -> float:
        """When a run last began to work with it, seconds since 1970; 0 for never."""
        try:
            return self._file(tag, "lock").stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def release(self, tag: str) -> None:
        """Lets go of an image."""
        file = self._held.pop(tag, None)
        if file is not None:
            file.close()

    def mark_passing(self, tag: str) -> None:
        """The image was built for runs that do not keep it."""
        self._file(tag, "passing").touch()

    def is_passing(self, tag: str) -> bool:
        """Whether it bears that mark."""
        return self._file(tag, "passing").exists()

    def any_passes(self) -> bool:
        """Whether any image bears that mark."""
        return next(self._directory.glob("*.passing"), None) is not None

    def unmark(self, tag: str) -> None:
        """The image stays after all, or is gone."""
        with suppress(FileNotFoundError):
            self._file(tag, "passing").unlink()

    async def remove(self, engine: Engine, tag: str, *, below: bool) -> bool:
        """Removes an image of ours that nobody works with; whether it is gone.

        Args:
            below: others may be about to stand on it, so nobody may be building.

        Raises:
            InfraFault: the engine fails.
        """
        with ExitStack() as alone:
            for name in (tag, BUILDING) if below else (tag,):
                if not alone.enter_context(held_alone(self._file(name, "lock"))):
                    return False
            async with engine_errors(f"removing image {tag}"):
                try:
                    # The engine would take its name and let it stay.
                    if below and await _supports(engine, tag):
                        return False
                    await engine.docker.images.delete(tag)
                except DockerError as error:
                    if error.status == 409:  # a container or an image of somebody else's needs it
                        return False
                    if error.status != 404:
                        raise
            self.unmark(tag)
        return True

    def _file(self, tag: str, kind: str) -> Path:
        self._directory.mkdir(parents=True, exist_ok=True)
        return self._directory / f"{re.sub(r'[^A-Za-z0-9._-]', '-', tag)}.{kind}"

    def _shared(self, tag: str) -> IO[bytes]:
        file = hold_shared(self._file(tag, "lock"))
        os.utime(file.fileno())
        return file


async def _supports(engine: Engine, tag: str) -> bool:
    """Whether another image stands on it."""
    image = await engine.image(tag)
    rows = await engine.docker.images.list(all=True)
    return image is not None and any(row["ParentId"] == image.id for row in rows)
