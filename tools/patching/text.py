"""The lines of a file, as bytes, so that what is not changed comes back as it was."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

__all__ = ["FileText", "LineEnds", "content"]

LineEnds = Literal["lf", "crlf", "mixed", "none"]

# What may differ at the end of a line without making it another line.
BLANKS = b" \t\r"


def content(line: bytes) -> bytes:
    """A line without the white space at its end, by which lines are compared."""
    return line.rstrip(BLANKS)


@dataclass(frozen=True)
class FileText:
    """A file cut at its line feeds.

    Attributes:
        lines: without the line feeds; carriage returns stay.
        newline: whether the last line ends in a line feed; True for an empty file.
    """

    lines: tuple[bytes, ...]
    newline: bool = True

    @classmethod
    def of(cls, raw: bytes) -> Self:
        """Cut the bytes of a file."""
        if not raw:
            return cls(())
        lines = raw.split(b"\n")
        if lines[-1]:
            return cls(tuple(lines), newline=False)
        return cls(tuple(lines[:-1]))

    def join(self) -> bytes:
        """The bytes of the file."""
        if not self.lines:
            return b""
        return b"\n".join(self.lines) + (b"\n" if self.newline else b"")

    @cached_property
    def contents(self) -> tuple[bytes, ...]:
        """Every line as it is compared."""
        return tuple(content(line) for line in self.lines)

    @cached_property
    def places(self) -> dict[bytes, list[int]]:
        """Where, from 0, each compared line stands."""
        found: dict[bytes, list[int]] = {}
        for at, line in enumerate(self.contents):
            found.setdefault(line, []).append(at)
        return found

    @cached_property
    def line_ends(self) -> LineEnds:
        """How the lines that end in a line feed end."""
        ended = self.lines if self.newline else self.lines[:-1]
        returns = sum(line.endswith(b"\r") for line in ended)
        if not ended:
            return "none"
        if not returns:
            return "lf"
        return "crlf" if returns == len(ended) else "mixed"
