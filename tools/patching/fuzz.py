"""Finding a hunk whose outer context lines are not those of the file."""

from collections.abc import Sequence
from itertools import dropwhile, takewhile

from tools.patching.change import Hunk, Line
from tools.patching.match import Place, candidates
from tools.patching.text import FileText, content

__all__ = ["MAX_FUZZ", "fuzzy"]

# `patch` drops up to two context lines at each end unless told otherwise (patch(1), -F).
MAX_FUZZ = 2


def fuzzy(hunk: Hunk, text: FileText) -> list[Place]:
    """Places of the hunk with as few context lines as possible dropped at its ends.

    Removed lines are never dropped. A context line that stands anywhere else in the file is not
    dropped either: the hunk may belong there.
    """
    for fuzz in range(1, MAX_FUZZ + 1):
        found: dict[int, Place] = {}
        for lead in range(fuzz + 1):
            for trail in range(fuzz + 1):
                if max(lead, trail) == fuzz and _may_drop(hunk, lead, trail, text):
                    for place in candidates(hunk.trimmed(lead, trail), text):
                        found.setdefault(place.first, Place(place.hunk, place.start, fuzz))
        if found:
            return [found[first] for first in sorted(found)]
    return []


def _floats(lines: Sequence[Line], lead_lost: bool, trail_lost: bool) -> bool:
    """Whether added lines lose all context on a side where no removed line holds them."""
    sides = [side for side, lost in ((lines, lead_lost), (lines[::-1], trail_lost)) if lost]
    for side in sides:
        changed = dropwhile(lambda line: line.mark == " ", side)
        block = list(takewhile(lambda line: line.mark != " ", changed))
        if side[0].mark == " " and all(line.mark == "+" for line in block):
            return True
    return False


def _may_drop(hunk: Hunk, lead: int, trail: int, text: FileText) -> bool:
    if lead > hunk.lead or trail > hunk.trail or not hunk.changes:
        return False
    lines = hunk.lines
    dropped = [content(line.text) for line in (*lines[:lead], *lines[len(lines) - trail :])]
    if any(line in text.places for line in dropped):
        return False
    if _floats(lines, lead == hunk.lead, trail == hunk.trail):
        return False
    left = [line for line in hunk.trimmed(lead, trail).before if content(line.text)]
    return len(left) >= 2 or any(line.mark == "-" for line in left)
