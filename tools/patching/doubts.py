"""Why a hunk that has its place is refused all the same: what it would do there is in doubt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from tools.patching.change import Hunk, Line
from tools.patching.match import Place
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal
from tools.patching.text import FileText, content
from tools.patching.white_space import WhiteSpace

__all__ = ["check_converted", "check_place"]


@dataclass
class _Block:
    """Changes with no context between them: lines of the file that go, lines that come."""

    start: int
    gone: list[tuple[bytes, Line]] = field(default_factory=list)
    come: list[tuple[bytes, Line]] = field(default_factory=list)


def check_place(
    place: Place, text: FileText, made: Sequence[bytes | None], space: WhiteSpace, name: str
) -> None:
    """Look at what a hunk does where it belongs; `made` is what each of its lines becomes.

    Raises:
        PatchRefusal: its lines stand there already, it replaces lines by themselves, or white
            space that was lost on the way leaves open what it adds.
    """
    _check_twice(place, text, name)
    _check_floating(place, text, name)
    _check_conversion(place, text, made, space, name)
    for block in _blocks(place, text, made):
        _check_same(block, place, name)
        _check_moved(block, place, text, name)


def check_converted(hunks: Sequence[Hunk], text: FileText, name: str) -> None:
    """Refuse to rewrite a whole file by a patch whose own line ends were converted.

    Where lines come back that were there, their line ends may be all that was to change.

    Raises:
        PatchRefusal: a line is removed and added again.
    """
    lines = [line for hunk in hunks for line in hunk.lines]
    gone = {line.text for line in lines if line.mark == "-" and line.text.strip()}
    come = {line.text for line in lines if line.mark == "+"}
    whole = sum(line.mark == "-" for line in lines) == len(text.lines)
    if whole and gone & come:
        raise PatchRefusal(
            Reason.WHITE_SPACE,
            f"{name}: the patch replaces the whole file, and its own line ends (CR LF) were made "
            "on its way, so there is no telling how those of the file are to end.",
        )


def _blocks(place: Place, text: FileText, made: Sequence[bytes | None]) -> Iterator[_Block]:
    at = place.start
    block = _Block(at)
    for line, new in zip(place.hunk.lines, made, strict=True):
        if line.mark == " ":
            yield block
            at += 1
            block = _Block(at)
        elif new is None:
            block.gone.append((text.lines[at], line))
            at += 1
        else:
            block.come.append((new, line))
    yield block


def _check_same(block: _Block, place: Place, name: str) -> None:
    """Refuse a block of removed lines that is replaced by the very same lines."""
    gone = [(there, line.newline) for there, line in block.gone]
    if gone and gone == [(new, line.newline) for new, line in block.come]:
        raise PatchRefusal(
            Reason.WHITE_SPACE,
            f"{name}: the hunk on line {place.hunk.patch_line} of the patch replaces line "
            f"{block.start + 1} of the file by what is already there; a change in white space at "
            "line ends may have been lost.",
        )


def _check_moved(block: _Block, place: Place, text: FileText, name: str) -> None:
    """Refuse to add a line again that ends in white space in the file and in none in the patch.

    Where it takes the place of the very line it repeats, white space is what the change is about.
    """
    before = zip(place.hunk.before, text.lines[place.start :], strict=False)
    lost = {
        content(there)
        for line, there in before
        if content(there) and there.rstrip(b"\r") != content(there) == line.text.rstrip(b"\r")
    }
    for at, (new, _) in enumerate(block.come):
        if content(new) not in lost or new.rstrip(b"\r") != content(new):
            continue
        if at >= len(block.gone) or content(block.gone[at][0]) != content(new):
            raise PatchRefusal(
                Reason.WHITE_SPACE,
                f"{name}: the hunk on line {place.hunk.patch_line} of the patch adds a line that "
                "ends in white space elsewhere in it, by the file; there is no telling whether it "
                "is to do so here.",
            )


def _check_conversion(
    place: Place, text: FileText, made: Sequence[bytes | None], space: WhiteSpace, name: str
) -> None:
    """Refuse to rewrite a whole file, same lines included, by a patch with other line ends."""
    if not space.returns_differ or any(line.mark == " " for line in place.hunk.lines):
        return
    if len(place.hunk.before) == len(text.lines) and set(made) & set(text.lines):
        raise PatchRefusal(
            Reason.WHITE_SPACE,
            f"{name}: the patch replaces the whole file, and its line ends (LF or CR LF) are "
            "not those of the file, so there is no telling which are meant.",
        )


def _check_twice(place: Place, text: FileText, name: str) -> None:
    """Refuse to add lines where what the hunk would leave stands already, around its place."""
    hunk = place.hunk
    after = tuple(line.text for line in hunk.after)
    if len(after) == len(hunk.before) or any(line.mark == "-" for line in hunk.lines):
        return
    for start in range(max(0, place.start - hunk.growth), place.end + 1):
        if text.lines[start : start + len(after)] == after:
            raise PatchRefusal(
                Reason.ALREADY_APPLIED,
                f"{name}: the lines that the hunk on line {hunk.patch_line} of the patch adds "
                f"stand there already (from line {start + hunk.lead + 1}).",
            )


def _check_floating(place: Place, text: FileText, name: str) -> None:
    """Refuse to add lines at an end of a hunk where lines of it are missing, by its header.

    The missing line may have stood between the context that is there and what is added.
    """
    hunk, lines = place.hunk, place.hunk.lines
    if hunk.old is None or hunk.old.count <= len(hunk.before):
        return
    after_all = not hunk.trail and place.end < len(text.lines)
    before_all = not hunk.lead and place.start > 0
    for loose, side in ((before_all, lines), (after_all, lines[::-1])):
        if loose and all(line.mark == "+" for line in takewhile(_is_change, side)):
            raise PatchRefusal(
                Reason.INCOMPLETE,
                f"{name}: the hunk on line {hunk.patch_line} of the patch lacks context, by its "
                "header, so there is no telling where its lines belong.",
            )


def _is_change(line: Line) -> bool:
    return line.mark != " "
