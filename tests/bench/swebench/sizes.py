"""What images take on disk, what they share counted once."""

from collections.abc import Iterable, Mapping

from tools.workspace.engine import Engine, engine_errors

Chain = tuple[str, ...]


async def chains(engine: Engine) -> dict[Chain, int]:
    """The size of every image the engine has, by its chain of layers."""
    async with engine_errors("listing images"):
        listed = await engine.docker.images.list(all="true")
        found = [await engine.docker.images.inspect(row["Id"]) for row in listed]
    return {tuple(one["RootFS"]["Layers"]): int(one["Size"]) for one in found}


async def chain_of(engine: Engine, image: str) -> Chain:
    """The layers of an image, lowest first."""
    async with engine_errors(f"looking at {image}"):
        found = await engine.docker.images.inspect(image)
    return tuple(found["RootFS"]["Layers"])


def bytes_together(images: Iterable[Chain], known: Mapping[Chain, int]) -> int:
    """Bytes of several images; what two share is counted once where some image ends with it."""
    parts: dict[Chain, int] = {}
    for chain in images:
        below = 0
        for end in range(1, len(chain) + 1):
            size = known.get(chain[:end])
            if size is not None:
                parts[chain[:end]] = size - below
                below = size
    return sum(parts.values())


def bytes_own(image: Chain, others: Iterable[Chain], known: Mapping[Chain, int]) -> int:
    """Bytes an image adds to others that are there."""
    others = list(others)
    return bytes_together([*others, image], known) - bytes_together(others, known)
