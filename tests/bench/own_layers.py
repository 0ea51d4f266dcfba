"""Layers that exist for one measurement only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tools.workspace import labels
from tools.workspace.engine import Engine


@asynccontextmanager
async def own_layers() -> AsyncIterator[None]:
    """Removes the layers made in the block; base images stay."""
    before = await _tags()
    try:
        yield
    finally:
        made = await _tags() - before
        async with Engine() as engine:
            # What stands on another goes first.
            for tag in sorted(made, key=lambda tag: ("/env:" in tag, tag)):
                await engine.remove_image(tag)


async def _tags() -> set[str]:
    async with Engine() as engine:
        images = await engine.images_with(labels.LAYER)
    bases = {tag for image in images if image.labels[labels.LAYER] == "base" for tag in image.tags}
    return {tag for image in images for tag in image.tags if "<none>" not in tag} - bases
