"""For a hunk that fits nowhere: the place of the file that is most like it."""

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher

from tools.patching.change import Hunk
from tools.patching.text import FileText

__all__ = ["Closest", "closest"]

# Comparing letters is slow: at most so many lines of a file are looked at that way.
_MAX_COMPARED = 2_000


@dataclass(frozen=True)
class Closest:
    """A stretch of a file.

    Attributes:
        start: its first line, from 0.
        lines: the lines there.
        alike: for each of `lines`, whether the hunk has it too.
    """

    start: int
    lines: tuple[bytes, ...]
    alike: tuple[bool, ...]


def closest(hunk: Hunk, text: FileText) -> Closest | None:
    """The stretch most like the lines that the hunk expects, None where nothing is like them."""
    wanted = [line.text.strip() for line in hunk.before]
    start = _by_votes(wanted, text)
    if start is None:
        start = _by_letters(wanted, text)
    if start is None:
        return None
    start = max(0, min(start, len(text.lines) - 1))
    lines = text.lines[start : start + len(wanted)]
    return Closest(start, lines, tuple(line.strip() in wanted for line in lines))


def _by_votes(wanted: list[bytes], text: FileText) -> int | None:
    """The start on which most lines that are in both agree, rare lines counting more."""
    places: dict[bytes, list[int]] = {}
    for at, line in enumerate(text.lines):
        places.setdefault(line.strip(), []).append(at)
    votes: Counter[int] = Counter()
    for offset, line in enumerate(wanted):
        there = places.get(line, []) if line else []
        for at in there if len(there) <= 50 else ():
            votes[at - offset] += 60 // len(there)
    return min(votes, key=lambda start: (-votes[start], start)) if votes else None


def _by_letters(wanted: list[bytes], text: FileText) -> int | None:
    longest = max(range(len(wanted)), key=lambda at: len(wanted[at]), default=None)
    if longest is None or not wanted[longest]:
        return None
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(_letters(wanted[longest]))
    best, start = 0.5, None
    for at, line in enumerate(text.lines[:_MAX_COMPARED]):
        matcher.set_seq1(_letters(line.strip()))
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best:
            ratio = matcher.ratio()
            if ratio > best:
                best, start = ratio, at - longest
    return start


def _letters(line: bytes) -> str:
    return line[:200].decode("latin-1")
