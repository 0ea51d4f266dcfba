"""Which layers nothing uses, and their removal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.workspace.engine import Engine
from tools.workspace.layers.in_use import InUse
from tools.workspace.layers.init_volume import remove_volume, stale_volumes
from tools.workspace.layers.sizes import ORDER, Sized, named, weigh

# What `--level` says -> the kinds that go: that one and whatever stands on it.
LEVELS: Mapping[str, tuple[str, ...]] = {
    "instance": ORDER[:1],
    "env": ORDER[:3],
    "repository": ORDER[:4],
    "base": ORDER,
}


@dataclass(frozen=True)
class Gone:
    """Something that was removed, or would be.

    Attributes:
        kind: of the layer, or `init`.
        freed_bytes: what that frees, once those before it are gone.
    """

    name: str
    kind: str
    freed_bytes: int


def unused(
    images: tuple[Sized, ...],
    level: str | None,
    older_s: float,
    last_used_s: Callable[[str], float],
) -> list[Sized]:
    """The images that may go, those that stand on others first.

    Args:
        level: a key of `LEVELS`; without it what lost its name, and environments and layers
            of a repository's history that no instance stands on.
        older_s: only what was neither made nor used since then, seconds since 1970.
        last_used_s: when a run last worked with an image of that name.
    """
    kinds = LEVELS[level] if level else ORDER[1:4]
    gone: list[Sized] = []
    for kind in ORDER:
        for one in (one for one in images if one.layer == kind):
            nameless = not named(one.image.tags)
            if not nameless and kind not in kinds:
                continue
            if one.containers or max(one.created_s, last_used_s(one.name)) > older_s:
                continue
            gone.append(one)
    return _without_supports(gone, images)


def _without_supports(gone: list[Sized], images: tuple[Sized, ...]) -> list[Sized]:
    """Leaves out what something that stays stands on, at any depth."""
    going = {one.image.id for one in gone}
    staying = [one for one in images if one.image.id not in going]
    below = {one.image.id: one.parent_id for one in images}
    held: set[str] = set()
    for one in staying:
        parent = one.parent_id
        while parent and parent not in held:
            held.add(parent)
            parent = below.get(parent, "")
    # Environments stand on environments: the later one goes first.
    return sorted(
        (one for one in gone if one.image.id not in held),
        key=lambda one: -one.depth,
    )


async def prune(
    engine: Engine, home: Path, level: str | None, older_s: float, *, dry_run: bool
) -> list[Gone]:
    """Removes what `unused` names and what init volumes no source of today needs.

    What somebody works with stays, and what we did not make.

    Raises:
        InfraFault: the engine fails.
    """
    weighed = await weigh(engine)
    gone: list[Gone] = []
    with InUse(home) as in_use:
        for one in unused(weighed.images, level, older_s, in_use.last_used_s):
            removable = dry_run or await in_use.remove(
                engine, one.name, below=one.layer != "instance"
            )
            if removable:
                gone.append(Gone(one.name, one.layer, one.own_bytes))
    for name in await stale_volumes(engine):
        if dry_run or await remove_volume(engine, name):
            gone.append(Gone(name, "init", 0))
    return gone
