"""What the images of ours weigh: in all, shared with others, and what removing one would free."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tools.workspace import labels as label
from tools.workspace.engine import Engine, Image, engine_errors

# From what stands on the others to what the others stand on.
ORDER = ("instance", "recent", "environment", "repository", "base", "system")


@dataclass(frozen=True)
class Sized:
    """An image of ours and its sizes.

    Attributes:
        layer: which of `ORDER` it is.
        own_bytes: what it adds to the image it stands on.
        unshared_bytes: what removing it alone would free: nothing while others stand on it.
        parent_id: the image it stands on; "" for none.
        depth: how many images it stands on.
        created_s: seconds since 1970.
        containers: how many stand on it, running or not.
    """

    image: Image
    layer: str
    own_bytes: int
    unshared_bytes: int
    parent_id: str
    depth: int
    created_s: int
    containers: int

    @property
    def name(self) -> str:
        """Its tag; one that lost it to a rebuild goes by its id."""
        tags = named(self.image.tags)
        return tags[0] if tags else self.image.id[7:19]

    @property
    def shared_bytes(self) -> int:
        """What other images hold too."""
        return self.image.size_bytes - self.unshared_bytes


@dataclass(frozen=True)
class Weighed:
    """Every image of ours; in `total_bytes` what they share counts once."""

    images: tuple[Sized, ...]
    total_bytes: int


def named(tags: Iterable[str]) -> list[str]:
    """Tags without the engine's word for none; ours first."""
    there = [tag for tag in tags if not tag.startswith("<none>")]
    return sorted(there, key=lambda tag: not tag.startswith(("agent_runner/", "swebench-lite:")))


async def weigh(engine: Engine) -> Weighed:
    """Weighs every image that bears our label. Sizes are sums of the lengths of files."""
    async with engine_errors("asking the engine for the sizes of its images"):
        rows: list[Any] = (await engine.docker._query_json("system/df"))["Images"] or []
    sizes = {row["Id"]: int(row["Size"]) for row in rows}
    parents = {row["Id"]: row["ParentId"] for row in rows}
    ours = [row for row in rows if label.LAYER in (row["Labels"] or {})]
    images = []
    total_bytes = 0
    below = {row["ParentId"] for row in ours} - {row["Id"] for row in ours} - {""}
    for row in ours:
        image = Image(row["Id"], row["Labels"], sizes[row["Id"]], tuple(row["RepoTags"] or ()))
        unshared_bytes = image.size_bytes - int(row["SharedSize"])
        own_bytes = image.size_bytes - await _size_of(engine, row["ParentId"], sizes)
        total_bytes += own_bytes
        images.append(
            Sized(
                image=image,
                layer=image.labels[label.LAYER],
                own_bytes=own_bytes,
                unshared_bytes=unshared_bytes,
                parent_id=row["ParentId"],
                depth=_depth(row["Id"], parents),
                created_s=int(row["Created"]),
                containers=int(row["Containers"]),
            )
        )
    # What ours stand on without its being ours: an image that was pulled.
    total_bytes += sum([await _size_of(engine, image, sizes) for image in below])
    images.sort(key=lambda one: (_rank(one.layer), one.name))
    return Weighed(tuple(images), total_bytes)


async def lineage(engine: Engine, name: str) -> list[str]:
    """The tags of an image and of those it stands on, from the top down; not all have one."""
    async with engine_errors(f"asking what {name} stands on"):
        rows: Any = await engine.docker.images.history(name)
    return [tag for row in rows for tag in named(row["Tags"] or ())[:1]]


async def _size_of(engine: Engine, image_id: str, known: dict[str, int]) -> int:
    """Of an image another one stands on; 0 for nothing."""
    if not image_id:
        return 0
    if image_id not in known:
        # One without a tag is not listed while others stand on it.
        image = await engine.image(image_id)
        known[image_id] = image.size_bytes if image else 0
    return known[image_id]


def _depth(image_id: str, parents: dict[str, str]) -> int:
    depth = 0
    while image_id := parents.get(image_id, ""):
        depth += 1
    return depth


def _rank(layer: str) -> int:
    return ORDER.index(layer) if layer in ORDER else len(ORDER)
