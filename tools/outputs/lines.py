"""The lines of a file of any size, by number, as quick at its end as at its start."""

import os
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.outputs.display import display

BLOCK_BYTES = 16 * 1024
# Of longer lines only the beginning or, where it was overwritten, the end is looked at.
LONG_LINE_BYTES = 64 * 1024


@dataclass
class LineIndex:
    """How many lines end before each block of a file: 8 bytes for every 16 KiB.

    Attributes:
        newlines: of all that was added.
    """

    size_bytes: int = 0
    newlines: int = 0
    ends_line: bool = True
    before: "array[int]" = field(default_factory=lambda: array("q", [0]))

    def add(self, chunk: bytes) -> None:
        """Takes what is appended to the file."""
        begin = 0
        while begin < len(chunk):
            room = BLOCK_BYTES - self.size_bytes % BLOCK_BYTES
            end = min(begin + room, len(chunk))
            self.newlines += chunk.count(b"\n", begin, end)
            self.size_bytes += end - begin
            if self.size_bytes % BLOCK_BYTES == 0:
                self.before.append(self.newlines)
            begin = end
        if chunk:
            self.ends_line = chunk.endswith(b"\n")

    @property
    def count(self) -> int:
        """How many lines there are; the last one may lack its newline."""
        return self.newlines + (not self.ends_line)


@dataclass(frozen=True)
class Lines:
    """A file and its index; numbers count from 0, lines end with a newline and nothing else."""

    path: Path
    index: LineIndex

    @property
    def count(self) -> int:
        """How many lines there are."""
        return self.index.count

    @contextmanager
    def opened(self) -> Iterator["OpenLines"]:
        """The file opened for looking things up."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            yield OpenLines(lambda begin, end: os.pread(descriptor, end - begin, begin), self.index)
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class OpenLines:
    """Looks lines up.

    Attributes:
        read: the bytes from one offset to another.
    """

    read: Callable[[int, int], bytes]
    index: LineIndex

    @classmethod
    def of_bytes(cls, content: bytes) -> "OpenLines":
        """The lines of what is at hand."""
        index = LineIndex()
        index.add(content)
        return cls(lambda begin, end: content[begin:end], index)

    def offset(self, number: int) -> int:
        """Where a line begins; the size of the file for the number after the last."""
        if number <= 0:
            return 0
        if number > self.index.newlines:
            return self.index.size_bytes
        block = bisect_left(self.index.before, number) - 1
        begin = block * BLOCK_BYTES
        content = self.read(begin, begin + BLOCK_BYTES)
        rest = content.split(b"\n", number - self.index.before[block])[-1]
        return begin + len(content) - len(rest)

    def line(self, number: int) -> tuple[str, int]:
        """What is seen of a line, and its size in bytes without the newline."""
        begin, end = self.offset(number), self.offset(number + 1)
        if number < self.index.newlines:
            end -= 1
        if end - begin <= LONG_LINE_BYTES:
            content = self.read(begin, end)
        else:
            last = self.read(end - LONG_LINE_BYTES // 2, end)
            _, overwritten, state = last.removesuffix(b"\r").partition(b"\r")
            content = state if overwritten else self.read(begin, begin + LONG_LINE_BYTES)
        return "".join(display(content)), end - begin
