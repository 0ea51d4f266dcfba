"""Parts of the diff that are not there any more."""

import re
from dataclasses import replace
from random import Random

from tests.corpora.patches.changes import Change
from tests.corpora.patches.diff import Hunk, each_hunk, each_line, render

__all__ = ["cut", "cut_in_header", "lost_lines", "lost_marks", "no_context", "trailing_context"]


def trailing_context(change: Change, rng: Random) -> str:
    """The last context lines of hunks are not there; the counts say so or do not."""
    lost, honest = rng.randint(1, 3), rng.random() < 0.5
    return render(each_hunk(change.sections, lambda hunk: _shorter(hunk, lost, honest)))


def _shorter(hunk: Hunk, lost: int, honest: bool) -> Hunk:
    lines = list(hunk.lines)
    gone = 0
    while lines and lines[-1].startswith(" ") and gone < lost:
        lines.pop()
        gone += 1
    fewer = gone if honest else 0
    return replace(
        hunk,
        lines=tuple(lines),
        old_count=hunk.old_count - fewer,
        new_count=hunk.new_count - fewer,
    )


def cut(change: Change, rng: Random) -> str | None:
    """The end is not there: from somewhere inside the last hunk, but not only its last line."""
    last = change.sections[-1]
    if not last.hunks or len(last.hunks[-1].lines) < 3:
        return None
    tail = "\n".join(last.hunks[-1].lines) + "\n"
    until = len(tail) - len(last.hunks[-1].lines[-1]) - 1
    if until < 2:
        return None
    kept = tail[: rng.randrange(1, until)]
    if rng.random() < 0.5:
        kept = kept[: kept.rfind("\n") + 1]
    text = change.patch.removesuffix(tail) + kept
    return text if rng.random() < 0.7 else f"```diff\n{text}" + rng.choice(["", "\n```\n"])


def cut_in_header(change: Change, rng: Random) -> str | None:
    """The end is not there: from the middle of the last file's header, or of a hunk's."""
    last = change.sections[-1]
    head = "\n".join([*last.extended, *last.names])
    if last.hunks and rng.random() < 0.3:
        head = last.hunks[-1].header
    if len(head) < 12:
        return None
    start = change.patch.rfind(head)
    return change.patch[: start + rng.randrange(4, len(head))]


def lost_marks(change: Change, rng: Random) -> str:
    """Context lines without their blank."""
    often = rng.choice([0.1, 1])
    return render(
        each_line(
            change.sections,
            lambda line: line[1:] if line[0] == " " and rng.random() < often else line,
        )
    )


def lost_lines(change: Change, rng: Random) -> str:
    """A context line in the middle is not there, or is another."""

    def one(hunk: Hunk) -> Hunk:
        inner = [at for at, line in enumerate(hunk.lines) if line[0] == " "]
        if not inner:
            return hunk
        at = rng.choice(inner)
        new = rng.choice([(), (" # ... existing code ...",), (" ...",)])
        return replace(hunk, lines=(*hunk.lines[:at], *new, *hunk.lines[at + 1 :]))

    return render(each_hunk(change.sections, one))


def no_context(change: Change, rng: Random) -> str:
    """No context around the changes, with numbers or without."""

    def one(hunk: Hunk) -> Hunk:
        lines = list(hunk.lines)
        while lines and lines[-1][0] == " ":
            lines.pop()
        lead = next(at for at, line in enumerate(lines) if line[0] != " ")
        gone = len(hunk.lines) - len(lines) + lead
        return replace(
            hunk,
            lines=tuple(lines[lead:]),
            old=hunk.old + lead,
            new=hunk.new + lead,
            old_count=hunk.old_count - gone,
            new_count=hunk.new_count - gone,
        )

    text = render(each_hunk(change.sections, one))
    return re.sub(r"^@@ -\d.*$", "@@", text, flags=re.MULTILINE) if rng.random() < 0.5 else text
