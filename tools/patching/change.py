"""What a patch says, before anyone has looked at the files it names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Literal, Self

__all__ = ["Action", "FileChange", "Hunk", "Line", "Mark", "Span"]

Mark = Literal[" ", "-", "+"]

LINK_MODE = 0o120000
SUBMODULE_MODE = 0o160000


class Action(StrEnum):
    """What is to happen to a file, as its header says it."""

    MODIFY = "modified"
    ADD = "added"
    DELETE = "deleted"
    RENAME = "renamed"
    COPY = "copied"


@dataclass(frozen=True)
class Line:
    """One line of a hunk.

    Attributes:
        mark: context, removed or added.
        text: the line without its line feed; a carriage return before it stays.
        newline: False where `\\ No newline at end of file` follows.
    """

    mark: Mark
    text: bytes
    newline: bool = True


@dataclass(frozen=True)
class Span:
    """One side of a hunk header: first line (from 1; the line before, where count is 0), lines."""

    start: int
    count: int

    @property
    def index(self) -> int:
        """The position from 0 at which this side begins."""
        return self.start - 1 if self.count else self.start


@dataclass(frozen=True)
class Hunk:
    """A run of lines to find and what becomes of them.

    Attributes:
        lines: context, removed and added lines in the order of the patch.
        old: where the header puts it in the file as it is, None where it gives no numbers.
        new: where the header puts it in the file to be, None where it gives no numbers.
        anchors: lines under which it lies, outermost first (`@@ class A`, `@@ ... @@ def f`).
        recounted: the header's counts were not those of the lines.
        at_end: `*** End of File` follows.
        ends_block: neither a hunk nor a file follows: the end, a fence, or prose.
        patch_line: the line of the patch, from 1, on which the hunk begins.
    """

    lines: tuple[Line, ...]
    old: Span | None = None
    new: Span | None = None
    anchors: tuple[bytes, ...] = ()
    recounted: bool = False
    at_end: bool = False
    ends_block: bool = False
    patch_line: int = 0

    @cached_property
    def before(self) -> tuple[Line, ...]:
        """The lines that must be there: context and removed."""
        return tuple(line for line in self.lines if line.mark != "+")

    @cached_property
    def after(self) -> tuple[Line, ...]:
        """The lines that will be there: context and added."""
        return tuple(line for line in self.lines if line.mark != "-")

    @cached_property
    def lead(self) -> int:
        """How many context lines stand before the first change."""
        return _context_run(self.lines)

    @cached_property
    def trail(self) -> int:
        """How many context lines stand after the last change."""
        return _context_run(self.lines[::-1])

    @property
    def changes(self) -> bool:
        """Whether a line is removed or added at all."""
        return self.lead < len(self.lines)

    @property
    def is_little_short(self) -> bool:
        """Whether the header promises only a few more lines than there are."""
        sides = ((self.old, self.before), (self.new, self.after))
        short = [span.count - len(lines) for span, lines in sides if span]
        return max(short, default=0) <= max(3, len(self.lines) // 10)

    @property
    def growth(self) -> int:
        """By how many lines the file becomes longer."""
        return len(self.after) - len(self.before)

    def trimmed(self, lead: int, trail: int) -> Self:
        """The hunk without so many context lines at its ends."""
        return replace(
            self,
            lines=self.lines[lead : len(self.lines) - trail],
            old=self.old and Span(self.old.start + lead, self.old.count - lead - trail),
            new=self.new and Span(self.new.start + lead, self.new.count - lead - trail),
        )


def _context_run(lines: Sequence[Line]) -> int:
    for count, line in enumerate(lines):
        if line.mark != " ":
            return count
    return len(lines)


@dataclass(frozen=True)
class FileChange:
    """One file section of a patch.

    Attributes:
        action: what the header says is to happen.
        old, new: the names as written, prefixes included; None stands for `/dev/null`.
        pair: both names of a `diff --git` line as written, which show whether prefixes are used.
        literal: the names come from lines that never carry a prefix (`rename from`, `*** Update`).
        hunks: in the order of the patch.
        old_mode, new_mode: git's file modes, None where the header does not say.
        blobs: what the `index` line says of the content before and after.
        converted: the headers ended in CR LF too, so line ends in the patch mean nothing.
    """

    action: Action
    old: str | None
    new: str | None
    pair: tuple[str, str] | None = None
    literal: bool = False
    hunks: tuple[Hunk, ...] = ()
    old_mode: int | None = None
    new_mode: int | None = None
    blobs: tuple[str, str] | None = None
    converted: bool = False

    @property
    def name(self) -> str:
        """The name to speak of it by."""
        return self.new or self.old or "?"

    @property
    def link(self) -> bool:
        """Whether it concerns a symbolic link rather than a regular file."""
        return LINK_MODE in (self.old_mode, self.new_mode)
