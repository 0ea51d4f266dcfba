"""What stays of the layers after a run: `images.cache_level`."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from agent_runner.config import CacheLevel
from agent_runner.errors import InfraFault
from agent_runner.gates import Gate
from agent_runner.observer import Observer
from tools.workspace import labels as label
from tools.workspace.engine import Engine
from tools.workspace.layers.in_use import BUILDING, InUse
from tools.workspace.layers.sizes import lineage

BASES = frozenset({"system", "base"})
ENVIRONMENTS = BASES | {"repository", "environment", "recent"}
KEPT: dict[CacheLevel, frozenset[str]] = {
    "none": frozenset(),
    "base": BASES,
    "env": ENVIRONMENTS,
    "instance": ENVIRONMENTS | {"instance"},
}


@asynccontextmanager
async def layers_kept(
    engine: Engine, level: CacheLevel, home: Path, observer: Observer, builds: Gate | None = None
) -> AsyncIterator["Layers"]:
    """While a run works with layers; at its end those go that it built and does not keep.

    What was there before, what others work with and what we did not make stays.

    Args:
        builds: how many layers may be in the making at once.
    """
    with InUse(home) as in_use:
        layers = Layers(engine, in_use, KEPT[level], builds or Gate())
        await layers.look()
        try:
            yield layers
        finally:
            try:
                await layers.leave()
            except InfraFault as fault:
                observer.complain(f"layers stay, `images prune` removes them: {fault.message}")


class Layers:
    """The layers of one run.

    Attributes:
        kept: which kinds stay.
    """

    def __init__(self, engine: Engine, in_use: InUse, kept: frozenset[str], builds: Gate) -> None:
        self._engine = engine
        self._builds = builds
        self._in_use = in_use
        self.kept = kept
        self._instances: list[str] = []
        self._bases: set[str] | None = None

    async def look(self) -> None:
        """Sees which base images there are: one that this run builds comes before its layers."""
        if "base" not in self.kept:
            self._bases = {tag for tag, kind in (await self._tags()).items() if kind in BASES}

    async def hold(self, instance: str) -> None:
        """Nobody removes the instance from now on, be it there or yet to be built."""
        self._instances.append(instance)
        await self._in_use.hold(instance)

    @asynccontextmanager
    async def building(self, instance: str) -> AsyncIterator[None]:
        """Marks what came into being for the instance as passing, where this run keeps it not."""
        async with self._builds.passed(), self._marking(instance):
            yield

    @asynccontextmanager
    async def _marking(self, instance: str) -> AsyncIterator[None]:
        await self._in_use.hold(BUILDING)
        before = await self._tags()
        try:
            yield
            kinds = await self._tags()
            for tag in await lineage(self._engine, instance):
                known: Collection[str] = before
                if self._bases is not None and kinds.get(tag) in BASES:
                    known = self._bases
                if tag not in known and tag in kinds and kinds[tag] not in self.kept:
                    self._in_use.mark_passing(tag)
        finally:
            self._in_use.release(BUILDING)

    def passes(self, instance: str) -> None:
        """Marks an instance that was derived just now, where this run keeps it not."""
        if "instance" not in self.kept:
            self._in_use.mark_passing(instance)

    async def leave(self) -> None:
        """Removes from the top down what is passing and nobody works with any more.

        What another run meant to pass and this one keeps passes no more.
        """
        for instance in self._instances:
            if not self._in_use.any_passes():
                # The engine need not list its images, unless somebody marked one just now.
                self._in_use.release(instance)
                if not self._in_use.any_passes():
                    continue
            kinds = await self._tags()
            tags = await lineage(self._engine, instance) if instance in kinds else []
            self._in_use.release(instance)
            passing = [tag for tag in tags if tag in kinds and self._in_use.is_passing(tag)]
            for tag in passing:
                if kinds[tag] in self.kept:
                    self._in_use.unmark(tag)
                elif not await self._in_use.remove(self._engine, tag, below=tag != instance):
                    break

    async def _tags(self) -> dict[str, str]:
        """The kind of each layer there is, by tag."""
        found = await self._engine.images_with(label.LAYER)
        return {
            tag: image.labels[label.LAYER]
            for image in found
            for tag in image.tags
            if "<none>" not in tag
        }
