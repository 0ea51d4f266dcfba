"""What stands at a path of the project, as far as a patch has to know."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Entry", "Kind"]

Kind = Literal["file", "link", "directory", "missing"]


@dataclass(frozen=True)
class Entry:
    """A path of the project before the patch.

    Attributes:
        kind: what is there, links not followed; anything else (a pipe, a device) is `directory`.
        data: the bytes of a file, the target of a link, else empty.
        executable: whether the owner may execute the file.
        link_above: one of the directories above it, inside the project, is a symbolic link.
        file_above: one of the directories above it is in truth a regular file.
    """

    kind: Kind = "missing"
    data: bytes = b""
    executable: bool = False
    link_above: bool = False
    file_above: bool = False
