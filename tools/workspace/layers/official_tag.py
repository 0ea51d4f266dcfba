"""A benchmark's own name for an image, put on ours, so that its harness runs on it."""

from tools.workspace import labels as label
from tools.workspace.engine import Engine, engine_errors
from tools.workspace.faults import FaultKind, InfraFault


async def tag_officially(engine: Engine, image: str, name: str) -> None:
    """Gives an image of ours another name; one of that name that we did not make stays as it is.

    Args:
        name: `repository[:tag]`.

    Raises:
        InfraFault: `image_unavailable`, where there is a foreign image of that name.
    """
    there = await engine.image(name)
    if there is not None and label.LAYER not in there.labels:
        message = f"there is an image {name} that agent_runner did not make; it stays as it is"
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message)
    repository, tag = split_name(name)
    async with engine_errors(f"tagging {image} as {name}"):
        await engine.docker.images.tag(image, repository, tag=tag)


def split_name(name: str) -> tuple[str, str]:
    """Repository and tag; a colon before the last slash is a registry's port."""
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")
