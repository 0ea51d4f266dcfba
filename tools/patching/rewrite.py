"""The file that comes out when every hunk has its place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.patching.cut import check_whole
from tools.patching.doubts import check_place
from tools.patching.match import Place
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal
from tools.patching.text import FileText
from tools.patching.white_space import WhiteSpace

__all__ = ["Rewritten", "rewrite"]


@dataclass(frozen=True)
class Rewritten:
    """The new content of a file and how its hunks came to fit."""

    text: FileText
    how: tuple[str, ...]


def rewrite(text: FileText, places: Sequence[Place], name: str) -> Rewritten:
    """Apply hunks in order, keeping the file's own line ends and context.

    Raises:
        PatchRefusal: white space or the end of the file leave open what is meant, a hunk puts
            back what it removes, or its lines are there twice already.
    """
    space = WhiteSpace.of(places, text)
    added = _added(places, space, name)
    lines: list[bytes] = []
    newline = text.newline
    at = 0
    for place in places:
        made = _made(place, text, added)
        check_whole(place, len(text.lines), name)
        check_place(place, text, made, space, name)
        lines.extend(text.lines[at : place.first])
        core = made[place.hunk.lead : len(made) - place.hunk.trail]
        lines.extend(line for line in core if line is not None)
        at = place.end
        if at == len(text.lines):
            newline = _end_newline(place, text, name)
    lines.extend(text.lines[at:])
    return Rewritten(FileText(tuple(lines), newline or not lines), _how(places, space, text))


def _added(places: Sequence[Place], space: WhiteSpace, name: str) -> Iterator[bytes]:
    """The bytes of all added lines in order; one that ends its file keeps no carriage return."""
    lines = [line for place in places for line in place.hunk.lines if line.mark == "+"]
    for line, made in zip(
        lines, space.put_right([line.text for line in lines], name, is_new=False), strict=True
    ):
        yield made if line.newline or len(made) <= len(line.text) else line.text


def _made(place: Place, text: FileText, added: Iterator[bytes]) -> list[bytes | None]:
    """What each line of the hunk becomes; None for a removed one."""
    made: list[bytes | None] = []
    at = place.start
    for line in place.hunk.lines:
        if line.mark == "+":
            made.append(next(added))
            continue
        made.append(text.lines[at] if line.mark == " " else None)
        at += 1
    return made


def _end_newline(place: Place, text: FileText, name: str) -> bool:
    """Whether the new file ends in a line feed, for a hunk that changes the end of the old one."""
    old, new = place.hunk.before, place.hunk.after
    if not new or new[-1].mark == " ":
        return True
    if not text.newline and old and old[-1].newline and old[-1].mark == "-" and new[-1].newline:
        raise PatchRefusal(
            Reason.WHITE_SPACE,
            f"{name}: the last line of the file ends in no line feed, and the patch does not say "
            "whether the new one does.",
        )
    return new[-1].newline


def _how(places: Sequence[Place], space: WhiteSpace, text: FileText) -> tuple[str, ...]:
    found: list[str] = []
    for place in places:
        hunk = place.hunk
        if place.fuzz:
            found.append(f"fuzz {place.fuzz}")
        if hunk.old is None:
            found.append("by context")
        elif hunk.old.index != place.start:
            found.append(f"offset {place.start - hunk.old.index}")
        if hunk.recounted:
            found.append("recounted")
    if space.differs or any(_end_differs(place, text) for place in places):
        found.append("whitespace")
    return tuple(dict.fromkeys(found)) or ("exact",)


def _end_differs(place: Place, text: FileText) -> bool:
    before = place.hunk.before
    at_end = place.start + len(before) == len(text.lines)
    ours = not before or before[-1].newline
    return bool(before) and (ours != text.newline if at_end else not ours)
