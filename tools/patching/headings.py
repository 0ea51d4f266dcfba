"""The lines under which a place of a file lies: what stands after the `@@` of a hunk."""

import re
from collections.abc import Sequence

from tools.patching.text import FileText

__all__ = ["is_under", "names_section"]

# What git takes for a heading: any line that begins with a letter, for Python classes and functions
# (gitattributes(5), "Defining a custom hunk-header").
_LETTER = re.compile(rb"[A-Za-z_$]")
_PYTHON = re.compile(rb"[ \t]*(?:class|(?:async[ \t]+)?def)[ \t]")


def names_section(heading: bytes, at: int, text: FileText) -> bool:
    """Whether git would write the heading after the numbers of a hunk that starts at line `at`."""
    for pattern in (_LETTER, _PYTHON):
        above = (line for line in reversed(text.lines[:at]) if pattern.match(line))
        nearest = next(above, None)
        if nearest is not None and nearest.strip().startswith(heading):
            return True
    return False


def is_under(anchors: Sequence[bytes], at: int, text: FileText) -> bool:
    """Whether line `at` lies under all of these lines, as indentation shows it."""
    return all(_in_section(anchor, at, text) for anchor in anchors)


def _in_section(anchor: bytes, at: int, text: FileText) -> bool:
    """Whether line `at` lies under a line that is `anchor`, as indentation shows it."""
    depth: int | None = None
    for line in reversed(text.lines[:at]):
        bare = line.strip()
        if not bare or bare.startswith(b")"):
            continue
        indent = len(line) - len(line.lstrip())
        if depth is not None and indent >= depth:
            continue
        depth = indent
        if bare.startswith(anchor) and not bare[len(anchor) : len(anchor) + 1].isalnum():
            return True
    return False
