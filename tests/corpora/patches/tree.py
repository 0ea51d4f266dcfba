"""A project as a mapping of paths to bytes, on disk and off."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Link", "Tree", "read", "write"]


@dataclass(frozen=True)
class Link:
    """A symbolic link and where it leads."""

    target: str


Tree = Mapping[str, bytes | Link]


def write(tree: Tree, root: Path) -> None:
    """Make the directory `root` hold this, and nothing else: it must be new."""
    root.mkdir(parents=True)
    for path, what in tree.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(what, Link):
            place.symlink_to(what.target)
        else:
            place.write_bytes(what)


def read(root: Path) -> dict[str, bytes | Link]:
    """What a directory holds, git's own files left out; links are not followed."""
    found: dict[str, bytes | Link] = {}
    for directory, directories, names in os.walk(root):
        directories[:] = [name for name in directories if name != ".git" or directory != str(root)]
        for name in [*names, *directories]:
            place = Path(directory, name)
            path = place.relative_to(root).as_posix()
            if place.is_symlink():
                found[path] = Link(str(place.readlink()))
            elif place.is_file():
                found[path] = place.read_bytes()
    return found
