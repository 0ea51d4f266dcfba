"""Where the hunks of one file belong.

The rule. Lines are compared without the white space at their ends. A hunk belongs where all its
context and removed lines stand. Where that is one place, it goes there, whatever its header says.
Where it is several, the order of the hunks may leave one (a file's hunks come in order and none
starts within another's changes). Else only the header's line number can decide, and it does so
only while there is reason to believe it: it names one of these places; it agrees with the number
for the new file and the hunks before it; the heading after it stands above the place; no hunk of
the patch that fits in one place only lies elsewhere than it says; and, where its counts were
wrong, at least one other hunk's number was seen to be right. Otherwise the hunk is refused: the
nearest copy of repeated code is a guess.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from tools.patching.change import Hunk
from tools.patching.text import FileText, content

__all__ = ["Evidence", "Place", "candidates", "evidence", "settle"]


# Places that are kept of a hunk; with more, only a number that can be believed decides.
MAX_PLACES = 200


@dataclass(frozen=True)
class Place:
    """A hunk (without context that was dropped to find it) and the line, from 0, it starts at."""

    hunk: Hunk
    start: int
    fuzz: int = 0

    @property
    def first(self) -> int:
        """Index of the first line that it changes, or before which it adds."""
        return self.start + self.hunk.lead

    @property
    def end(self) -> int:
        """Index after the last line that it changes."""
        return self.start + len(self.hunk.before) - self.hunk.trail


@dataclass(frozen=True)
class Evidence:
    """Hunks that fit in one place only: how many lie where they say, how many do not."""

    confirmed: int = 0
    contradicted: int = 0

    def __add__(self, other: "Evidence") -> "Evidence":
        return Evidence(self.confirmed + other.confirmed, self.contradicted + other.contradicted)


def candidates(hunk: Hunk, text: FileText) -> list[Place]:
    """Every place where all context and removed lines of the hunk stand, in order.

    Of more than `MAX_PLACES`, the first and the one that the header names.
    """
    wanted = tuple(content(line.text) for line in hunk.before)
    if not wanted:
        return [] if text.lines else [Place(hunk, 0)]
    rarest = min(range(len(wanted)), key=lambda at: len(text.places.get(wanted[at], ())))
    found: list[Place] = []
    for at in text.places.get(wanted[rarest], ()):
        if at >= rarest and _stands(wanted, text, at - rarest):
            found.append(Place(hunk, at - rarest))
            if len(found) > MAX_PLACES:
                break
    stated = hunk.old.index if hunk.old else 0
    if len(found) > MAX_PLACES and stated > found[-1].start and _stands(wanted, text, stated):
        found.append(Place(hunk, stated))
    if hunk.at_end or not hunk.before[-1].newline:
        at_end = [place for place in found if place.start + len(wanted) == len(text.lines)]
        found = at_end or found
    if hunk.old is None and hunk.anchors and 1 < len(found) <= MAX_PLACES:
        found = [place for place in found if _under(hunk.anchors, place, text)] or found
    return found


def _stands(wanted: tuple[bytes, ...], text: FileText, start: int) -> bool:
    return text.contents[start : start + len(wanted)] == wanted


def evidence(found: Sequence[Sequence[Place]]) -> Evidence:
    """What the hunks of a file that fit in one place only say about the patch's line numbers."""
    confirmed = contradicted = 0
    for places in found:
        if len(places) == 1 and places[0].hunk.old is not None:
            right = places[0].hunk.old.index == places[0].start
            confirmed, contradicted = confirmed + right, contradicted + (not right)
    return Evidence(confirmed, contradicted)


def settle(
    found: Sequence[Sequence[Place]], text: FileText, seen: Evidence
) -> tuple[list[Place], int]:
    """Choose a place for every hunk of a file, by the rule above.

    Gives the places and 1; or no places and 0 where there is no order in which they fit, 2 where
    there is more than one choice. `seen` is the evidence of the whole patch.
    """
    chosen, count = _in_order(found)
    crowded = any(len(places) > MAX_PLACES for places in found)
    if count < 2 and not crowded:
        return chosen, count
    growth = 0
    pinned: list[Sequence[Place]] = []
    for places in found:
        stated = [place for place in places if _stated(place, growth, text, seen)]
        if len(places) > MAX_PLACES and not stated:
            return [], 2
        pinned.append(stated or places)
        growth += places[0].hunk.growth
    chosen, pinned_count = _in_order(pinned)
    return (chosen, 1) if pinned_count == 1 else ([], 2)


def _stated(place: Place, growth: int, text: FileText, seen: Evidence) -> bool:
    hunk = place.hunk
    if hunk.old is None or hunk.new is None or hunk.old.index != place.start:
        return False
    if seen.contradicted or (hunk.recounted and not seen.confirmed):
        return False
    if hunk.new.index != hunk.old.index + growth:
        return False
    above = text.lines[: place.start]
    return all(any(line.strip().startswith(name) for line in above) for name in hunk.anchors)


def _in_order(found: Sequence[Sequence[Place]]) -> tuple[list[Place], int]:
    """The one choice of places that keeps the order, and the number of choices up to 2."""
    ways: list[list[int]] = [[] for _ in found]
    for at in range(len(found) - 1, -1, -1):
        last = at == len(found) - 1
        after = [] if last else _sums(ways[at + 1])
        firsts = [] if last else [place.first for place in found[at + 1]]
        for place in found[at]:
            follows = bisect_left(firsts, max(place.end, place.first + 1))
            ways[at].append(1 if last else after[follows])
    total = min(2, sum(ways[0])) if ways else 1
    if total != 1:
        return [], total
    chosen: list[Place] = []
    for places, counts in zip(found, ways, strict=True):
        floor = max(chosen[-1].end, chosen[-1].first + 1) if chosen else -1
        chosen.append(
            next(
                place
                for place, count in zip(places, counts, strict=True)
                if count and place.first >= floor
            )
        )
    return chosen, 1


def _sums(counts: Sequence[int]) -> list[int]:
    """For each index, the sum from there on, 2 standing for anything above; 0 after the end."""
    sums = [0]
    for count in reversed(counts):
        sums.append(min(2, sums[-1] + count))
    return sums[::-1]


def _under(anchors: Sequence[bytes], place: Place, text: FileText) -> bool:
    return all(_in_section(anchor, place.first, text) for anchor in anchors)


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
