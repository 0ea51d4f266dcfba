"""Where the hunks of one file belong.

The rule. Lines are compared without the white space at their ends. A hunk belongs where all its
context and removed lines stand. Where that is one place, it goes there, whatever its header says.
Where it is several, the order of the hunks may leave one (a file's hunks come in order and none
starts within another's changes), unless the headers' numbers are in another order or name another
of its places. Else the header decides only if git wrote it for this very file (its `index` line
says so), or if the heading after the numbers names the same place as they do, and no other. A
number alone decides nothing: models guess them. Otherwise the hunk is refused: the nearest copy of
repeated code is a guess.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from tools.patching.change import Hunk
from tools.patching.headings import is_under, names_section
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
        found = [place for place in found if is_under(hunk.anchors, place.first, text)] or found
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
    found: Sequence[Sequence[Place]], text: FileText, seen: Evidence, *, numbers: bool = False
) -> tuple[list[Place], int]:
    """Choose a place for every hunk of a file, by the rule above.

    Gives the places and 1; or no places and 0 where there is no order in which they fit, 2 where
    there is more than one choice. `seen` is the evidence of the whole patch; `numbers` says that
    git wrote those of the headers for this file.
    """
    chosen, count = _in_order(found)
    crowded = any(len(places) > MAX_PLACES for places in found)
    if count == 0 and not crowded:
        return [], 0
    if count == 1 and not crowded and _agree(found, chosen):
        return chosen, 1
    growth = 0
    pinned: list[Sequence[Place]] = []
    for places in found:
        stated = [
            place
            for place in places
            if _stated(place, growth, seen)
            and (numbers or (not seen.contradicted and _is_headed(place, places, text)))
        ]
        if len(places) > MAX_PLACES and not stated:
            return [], 2
        pinned.append(stated or places)
        growth += places[0].hunk.growth
    chosen, count = _in_order(pinned)
    return (chosen, 1) if count == 1 and _agree(pinned, chosen) else ([], 2)


def _agree(found: Sequence[Sequence[Place]], chosen: Sequence[Place]) -> bool:
    """Whether nothing speaks against places that order alone has left, of several."""
    if all(len(places) == 1 for places in found):
        return True
    hunks = [place.hunk for place in chosen]
    starts = [hunk.old.start for hunk in hunks if hunk.old]
    if any(later <= earlier for earlier, later in pairwise(starts)):
        return False
    bare = [hunk.lines for hunk in hunks if not hunk.old]
    if any(one == other for one, other in combinations(bare, 2)):
        return False
    return not any(
        place.start != ours.start and ours.hunk.old and ours.hunk.old.index == place.start
        for ours, places in zip(chosen, found, strict=True)
        for place in places
    )


def _stated(place: Place, growth: int, seen: Evidence) -> bool:
    hunk = place.hunk
    if hunk.old is None or hunk.new is None or hunk.old.index != place.start:
        return False
    if hunk.recounted and not seen.confirmed:
        return False
    return hunk.new.index == hunk.old.index + growth


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


def _is_headed(place: Place, places: Sequence[Place], text: FileText) -> bool:
    """Whether the heading after the numbers is that of this place and of no other."""
    headed = [
        one.start
        for one in places
        if one.hunk.anchors and names_section(one.hunk.anchors[-1], one.start, text)
    ]
    return headed == [place.start]
