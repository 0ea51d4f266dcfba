"""Whether a patch ends in the middle: a hunk at its end is shorter than its header says.

Wrong counts are mended, lines that are not there cannot be. What tells one from the other: git
gives three lines of context after a change, and fewer only where the file ends.
"""

from collections.abc import Sequence
from dataclasses import replace

from tools.patching.change import FileChange, Hunk
from tools.patching.match import Place
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal

__all__ = ["believed", "check_new_file", "check_whole"]

# git-diff(1), -U: lines of context after the last change of a hunk.
_CONTEXT = 3


def believed(changes: Sequence[FileChange], *, unended: bool) -> tuple[FileChange, ...]:
    """The changes, without the mark at hunks that others show to be counted wrongly, not cut off.

    `unended` says that the patch ends without a line feed.

    Raises:
        PatchRefusal: a hunk at the end of a block changes nothing: lines of it were lost.
    """
    numbered = [hunk for change in changes for hunk in change.hunks if hunk.old]
    wrong = sum(hunk.recounted for hunk in numbered)

    def one(hunk: Hunk, name: str) -> Hunk:
        if not hunk.ends_block:
            return hunk
        if not hunk.changes and (hunk.recounted or hunk.old is None):
            raise PatchRefusal(
                Reason.INCOMPLETE,
                f"{name}: the hunk on line {hunk.patch_line} of the patch changes nothing; the "
                "patch may have been cut off.",
            )
        others = wrong - hunk.recounted
        habit = others and 2 * others >= len(numbered) - 1
        return replace(hunk, ends_block=unended or not (habit and hunk.is_little_short))

    return tuple(
        replace(change, hunks=tuple(one(hunk, change.name) for hunk in change.hunks))
        for change in changes
    )


def check_whole(place: Place, size: int, name: str) -> None:
    """Refuse a hunk at the end of a patch where lines after it may have been lost.

    `size` is the number of lines of the file.

    Raises:
        PatchRefusal: more than context may be missing.
    """
    hunk, start = place.hunk, place.start
    if not hunk.ends_block or hunk.old is None or hunk.new is None:
        return
    old, new = hunk.old.count - len(hunk.before), hunk.new.count - len(hunk.after)
    # Its last context line was found to be none of the file's: it may be half a line.
    if place.fuzz and old + new > 0 <= min(old, new):
        raise _cut(hunk, old, new, name)
    # Longer on one side, or more lines than the file has: the header is wrong, nothing is missing.
    if min(old, new) < 0 or not old + new or start + hunk.old.count > size:
        return
    to_the_end = start + hunk.old.count == size
    # An added line at the end may itself be cut off: nothing in the file shows its end.
    torn = hunk.lines[-1].mark == "+"
    if old == new <= _CONTEXT - hunk.trail and not to_the_end and not torn:
        return
    if hunk.trail >= _CONTEXT and min(old, new) < _CONTEXT and not to_the_end:
        return
    raise _cut(hunk, old, new, name)


def check_new_file(hunk: Hunk, name: str) -> None:
    """Refuse a hunk at the end of a patch that makes a file with fewer lines than it says.

    Raises:
        PatchRefusal: it does.
    """
    if hunk.ends_block and hunk.new is not None and hunk.new.count > len(hunk.after):
        raise _cut(hunk, 0, hunk.new.count - len(hunk.after), name)


def _cut(hunk: Hunk, old: int, new: int, name: str) -> PatchRefusal:
    return PatchRefusal(
        Reason.INCOMPLETE,
        f"{name}: the patch may have been cut off. The hunk on line {hunk.patch_line} of the "
        f"patch lacks lines by its header: {old} of the file as it is, {new} of the new one.",
    )
