"""What an `index` line says about the content before and after.

Models invent these lines, so one that does not fit means nothing by itself. One that names the file
as it is, however, was written by git for this very change: what comes out must be what it names.
"""

import re
from collections.abc import Iterable
from hashlib import sha1, sha256

from tools.patching.change import FileChange
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal

__all__ = ["check_not_applied", "check_result", "is_empty", "is_genuine", "read_index"]

_INDEX = re.compile(rb"index (0+|[0-9a-f]{7,64})\.\.(0+|[0-9a-f]{7,64})(?:\s.*)?")
_NO_FILE = re.compile(r"0+")


def read_index(line: bytes) -> tuple[str, str] | None:
    """The two digests of an `index` line, abbreviated or not; None where it is none of git's."""
    match = _INDEX.fullmatch(line)
    return (match[1].decode(), match[2].decode()) if match else None


def is_empty(digest: str) -> bool:
    """Whether it is that of an empty file, or of no file."""
    return _NO_FILE.fullmatch(digest) is not None or _names(digest, b"")


def is_genuine(change: FileChange, data: bytes) -> bool:
    """Whether the `index` line names the content that is there."""
    return change.blobs is not None and _names(change.blobs[0], data)


def check_not_applied(change: FileChange, data: bytes, name: str) -> None:
    """Refuse a change whose `index` line names the file as it is for its result.

    Raises:
        PatchRefusal: it does.
    """
    if change.blobs is not None and data and _names(change.blobs[1], data):
        raise PatchRefusal(
            Reason.ALREADY_APPLIED, f"{name} is what the patch makes of it, by its `index` line."
        )


def check_result(change: FileChange, data: bytes, name: str) -> None:
    """Refuse a result that a genuine `index` line does not name.

    Raises:
        PatchRefusal: the hunks make something else.
    """
    if change.blobs is None or _NO_FILE.fullmatch(change.blobs[1]):
        return
    if not _names(change.blobs[1], data):
        raise PatchRefusal(
            Reason.INCOMPLETE,
            f"{name}: the `index` line names the file as it is, but the hunks do not make the "
            f"file that it says they make ({change.blobs[1]}); lines of the patch were lost or "
            "changed.",
        )


def _names(digest: str, data: bytes) -> bool:
    return any(made.startswith(digest) for made in _digests(data))


def _digests(data: bytes) -> Iterable[str]:
    """git's name of the content, by either of its hashes (gitformat-pack(5))."""
    stored = b"blob %d\0%s" % (len(data), data)
    yield sha1(stored, usedforsecurity=False).hexdigest()
    yield sha256(stored).hexdigest()
