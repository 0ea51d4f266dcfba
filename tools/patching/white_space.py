"""What the added lines of a patch mean where its other lines differ from the file in white space.

Context and removed lines show what happened to a patch on its way; the added lines went the same
way. Where that tells what they were, they are put right; where it does not, the patch is refused.
White space that all lines lost leaves no trace on the added ones: these stay as written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from tools.patching.match import Place
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal
from tools.patching.text import FileText, content

__all__ = ["WhiteSpace"]

# So many lines that all differ in the same way show a habit, not a chance.
_ENOUGH = 4

Pair = tuple[bytes, bytes]


@dataclass(frozen=True)
class WhiteSpace:
    """How a patch and files differ at the ends of the lines they share.

    Attributes:
        shared: pairs of a line of the patch and the same line of a file, without those at the
            end of a file that end in no line feed.
    """

    shared: tuple[Pair, ...] = ()

    @classmethod
    def of(cls, places: Sequence[Place], text: FileText) -> Self:
        """Compare the lines of hunks with those that stand where they belong."""
        shared: list[Pair] = []
        for place in places:
            before = place.hunk.before
            pairs = list(
                zip((line.text for line in before), text.lines[place.start :], strict=False)
            )
            at_end = place.start + len(before) == len(text.lines)
            if at_end and before and not (text.newline and before[-1].newline):
                pairs.pop()
            shared.extend(pairs)
        return cls(tuple(shared))

    def __add__(self, other: "WhiteSpace") -> "WhiteSpace":
        return WhiteSpace(self.shared + other.shared)

    @property
    def differs(self) -> bool:
        """Whether any shared line differs."""
        return any(ours != there for ours, there in self.shared)

    @cached_property
    def returns_differ(self) -> bool:
        """Whether any shared line ends in more or fewer carriage returns."""
        return any(_returns(ours) != _returns(there) for ours, there in self.shared)

    def put_right(self, added: Sequence[bytes], name: str, *, is_new: bool) -> tuple[bytes, ...]:
        """The lines that the added lines stand for, none of them the unended last of its file.

        Raises:
            PatchRefusal: there is no telling.
        """
        made = list(added)
        if made and self.returns_differ:
            made = self._line_ends(made, name, is_new=is_new)
        for blank in (False, True):
            chosen = [at for at, line in enumerate(made) if bool(content(line)) != blank]
            lines = self._blanks([made[at] for at in chosen], blank, name)
            for at, line in zip(chosen, lines, strict=True):
                made[at] = line
        return tuple(made)

    def _line_ends(self, added: list[bytes], name: str, *, is_new: bool) -> list[bytes]:
        shifts = {_returns(ours) - _returns(there) for ours, there in self.shared}
        if len(shifts) == 1:
            (shift,) = shifts
            if shift > 0 and all(_returns(line) >= shift for line in added):
                return [line[:-shift] for line in added]
            ours = [*added, *(ours for ours, _ in self.shared)]
            if shift == -1 and not is_new and not any(_returns(line) for line in ours):
                return [line + b"\r" for line in added]
        raise PatchRefusal(
            Reason.WHITE_SPACE,
            f"{name}: line ends (LF or CR LF) of the patch and of the file it changes differ in a "
            "way that does not tell how the added lines are to end.",
        )

    def _blanks(self, added: list[bytes], blank: bool, name: str) -> list[bytes]:
        """Added lines, all blank or all not, without the white space that is not meant.

        It is not where all such lines shared with the file have some that the file has not, and
        all the added ones have it too.
        """
        tails = [_blanks(line) for line in added]
        came = [(bool(content(there)) != blank, _came(ours, there)) for ours, there in self.shared]
        if not any(tails) or not any(more for _, more in came):
            return added
        alike = [more for same, more in came if same]
        every = (len(alike) >= 2 and all(alike)) or (
            len(came) >= _ENOUGH and all(more for _, more in came)
        )
        suffixes = {more for _, more in came if more}
        if every and len(suffixes) == 1:
            (suffix,) = suffixes
            if all(tail.endswith(suffix) for tail in tails):
                return [_without(line, len(suffix)) for line in added]
        elif every and all(tails) and not any(_blanks(there) for _, there in self.shared):
            return [_without(line, len(tail)) for line, tail in zip(added, tails, strict=True)]
        if alike and not any(alike):
            return added
        raise PatchRefusal(
            Reason.WHITE_SPACE,
            f"{name}: lines of the patch end in white space that the file does not have, so there "
            "is no telling whether that of the added lines is meant.",
        )


def _returns(line: bytes) -> int:
    return len(line) - len(line.rstrip(b"\r"))


def _blanks(line: bytes) -> bytes:
    """The white space at the end of a line, before its carriage returns."""
    return line.rstrip(b"\r")[len(content(line)) :]


def _came(ours: bytes, there: bytes) -> bytes:
    """What the patch's line ends in and the file's does not."""
    mine, its = _blanks(ours), _blanks(there)
    return mine.removeprefix(its) if len(mine) > len(its) else b""


def _without(line: bytes, size: int) -> bytes:
    """The line without its last blanks, carriage returns kept."""
    bare = line.rstrip(b"\r")
    return bare[: len(bare) - size] + line[len(bare) :]
