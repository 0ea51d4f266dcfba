"""Damage that added lines do not show: what they said before cannot be known."""

from collections.abc import Callable
from html import escape
from random import Random

from tests.corpora.patches.case import Case
from tests.corpora.patches.changes import Change
from tests.corpora.patches.diff import each_line, render
from tests.corpora.patches.recovered import bytes_of
from tests.corpora.patches.reference import applied

__all__ = ["added_stripped", "blanks", "escaped", "tabs"]


def added_stripped(change: Change, rng: Random) -> Case | None:
    """White space at the end of all lines is gone, that of added lines too."""

    def one(line: str) -> str:
        return line[0] + line[1:].rstrip(" \t") if line.strip() else ""

    return _unseen("added lines stripped", change, one)


def tabs(change: Change, rng: Random) -> Case | None:
    """Tabs became blanks, on added lines or everywhere."""
    size = rng.choice([4, 8])
    marks = rng.choice(["+", "+- "])

    def one(line: str) -> str:
        return line[0] + line[1:].expandtabs(size) if line[0] in marks else line

    return _unseen("tabs to blanks", change, one)


def blanks(change: Change, rng: Random) -> Case | None:
    """Indentation halved or doubled, or made of tabs, everywhere."""
    new = rng.choice(["  ", "\t", "        "])

    def one(line: str) -> str:
        depth = len(line[1:]) - len(line[1:].lstrip(" "))
        return line[0] + new * (depth // 4) + line[1 + depth // 4 * 4 :]

    return _unseen("other indentation", change, one)


def escaped(change: Change, rng: Random) -> Case | None:
    """Signs that HTML escapes."""
    quote = rng.random() < 0.5
    return _unseen("escaped", change, lambda line: line[0] + escape(line[1:], quote))


def _unseen(kind: str, change: Change, damage: Callable[[str], str]) -> Case | None:
    """An entry whose damage to added lines cannot be seen in the patch."""
    damaged = each_line(change.sections, damage)
    if damaged == change.sections:
        return None
    written = dict(change.after)
    for section in each_line(
        change.sections, lambda line: damage(line) if line[0] == "+" else line
    ):
        if section.new is not None:
            written[section.new] = applied(change.before.get(section.old or "", b""), section)
    patch = bytes_of(render(damaged))
    return Case(kind, "careful", change.source, change.before, patch, change.after, written)
