"""Markdown code blocks around a patch."""

import re
from collections.abc import Sequence

__all__ = ["is_fence", "unglued"]

_FENCE = re.compile(rb"(`{3,}|~{3,})[\w+.-]*\s*")
_HEADERS = (b"@@", b"diff --git ", b"--- ", b"+++ ", b"*** ")


def is_fence(line: bytes) -> bool:
    """Whether a line opens or closes a code block."""
    return _FENCE.fullmatch(line) is not None


def unglued(lines: Sequence[bytes]) -> list[bytes]:
    """The lines, a closing fence that stands right behind the last of the patch on its own.

    It gets there where the patch itself ended without a line feed.
    """
    fence = b""
    for line in lines:
        match = _FENCE.fullmatch(line)
        if match:
            fence = b"" if fence else match[1]
    if not fence:
        return list(lines)
    for at in range(len(lines) - 1, -1, -1):
        if lines[at].startswith(_HEADERS):
            break
        bare = _without(lines[at].rstrip(), fence)
        if bare:
            return [*lines[:at], bare, fence, *lines[at + 1 :]]
    return list(lines)


def _without(line: bytes, fence: bytes) -> bytes:
    """A line of a hunk without the fence at its end, empty where that may be its own."""
    bare = line.removesuffix(fence)
    if bare == line or line[:1] not in (b"+", b"-", b" ") or not bare[1:].strip():
        return b""
    return b"" if fence in bare or bare.endswith(fence[:1]) else bare
