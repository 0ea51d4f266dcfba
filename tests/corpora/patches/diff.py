"""A well-formed diff in parts that can be damaged one by one.

Text is latin-1 throughout: a character for each byte, so that no encoding gets in the way.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

__all__ = ["Hunk", "Section", "body", "each_hunk", "each_line", "render", "sections_of"]

_HEADER = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)", re.DOTALL)


@dataclass(frozen=True)
class Hunk:
    """Numbers as in the header; lines with their marks, `\\ No newline` lines among them."""

    old: int
    old_count: int
    new: int
    new_count: int
    heading: str
    lines: tuple[str, ...]

    @property
    def before(self) -> list[str]:
        """Context and removed lines, without marks."""
        return [line[1:] for line in self.lines if line[0] in " -"]

    @property
    def header(self) -> str:
        """As git writes it, but always with the counts."""
        numbers = f"-{self.old},{self.old_count} +{self.new},{self.new_count}"
        return f"@@ {numbers} @@{self.heading}"

    def __str__(self) -> str:
        return "\n".join([self.header, *self.lines])


@dataclass(frozen=True)
class Section:
    """One file: header lines before `---`, the two names, the hunks.

    Attributes:
        old, new: paths from the project's root, None where there is no such file.
        extended: `diff --git` and what follows it; empty in a plain diff.
        names: the `---` and `+++` lines; empty where nothing but mode or name changes.
    """

    old: str | None
    new: str | None
    extended: tuple[str, ...]
    names: tuple[str, ...]
    hunks: tuple[Hunk, ...]

    @property
    def is_moved(self) -> bool:
        """Whether old and new file have different names."""
        return self.old is not None and self.new is not None and self.old != self.new

    @property
    def plain(self) -> "Section":
        """Without what git adds, where that says nothing that the rest does not."""
        if (self.old != self.new and self.old and self.new) or not self.hunks:
            return self
        return replace(self, extended=())

    def __str__(self) -> str:
        return "\n".join([*self.extended, *self.names, *map(str, self.hunks)])


def render(sections: Sequence[Section]) -> str:
    """The diff."""
    return "".join(f"{section}\n" for section in sections)


def sections_of(text: str) -> tuple[Section, ...]:
    """Read what git wrote with names that need no quotes."""
    lines = text.split("\n")[:-1]
    found: list[Section] = []
    at = 0
    while at < len(lines):
        start = at
        at += 1
        while at < len(lines) and not lines[at].startswith(("--- ", "diff --git ")):
            at += 1
        extended = lines[start:at]
        names: list[str] = []
        hunks: list[Hunk] = []
        if at < len(lines) and lines[at].startswith("--- "):
            names, at = lines[at : at + 2], at + 2
        while at < len(lines) and lines[at].startswith("@@ "):
            hunk, at = _hunk(lines, at)
            hunks.append(hunk)
        old, new = _paths(extended, names)
        found.append(Section(old, new, tuple(extended), tuple(names), tuple(hunks)))
    return tuple(found)


def _paths(extended: Sequence[str], names: Sequence[str]) -> tuple[str | None, str | None]:
    moved = [line.split(" ", 2)[2] for line in extended if line.startswith("rename ")]
    if moved:
        return moved[0], moved[1]
    if not names:
        first, _, second = extended[0].removeprefix("diff --git a/").partition(" b/")
        gone = any(line.startswith("deleted") for line in extended)
        come = any(line.startswith("new file") for line in extended)
        return (None if come else first), (None if gone else second)
    old, new = (name[4:].removesuffix("\t") for name in names)
    return (
        None if old == "/dev/null" else old.removeprefix("a/"),
        None if new == "/dev/null" else new.removeprefix("b/"),
    )


def _hunk(lines: Sequence[str], at: int) -> tuple[Hunk, int]:
    match = _HEADER.fullmatch(lines[at])
    if match is None:
        raise ValueError(lines[at])
    old, old_count, new, new_count = (1 if one is None else int(one) for one in match.groups()[:4])
    end, left = at + 1, [old_count, new_count]
    while any(left) or (end < len(lines) and lines[end].startswith("\\")):
        left[0] -= lines[end][0] in " -"
        left[1] -= lines[end][0] in " +"
        end += 1
    body = tuple(lines[at + 1 : end])
    return Hunk(old, old_count, new, new_count, match.group(5), body), end


def each_hunk(sections: Sequence[Section], change: Callable[[Hunk], Hunk]) -> tuple[Section, ...]:
    """Every hunk replaced."""
    return tuple(
        replace(section, hunks=tuple(change(hunk) for hunk in section.hunks))
        for section in sections
    )


def each_line(sections: Sequence[Section], change: Callable[[str], str]) -> tuple[Section, ...]:
    """Every line of a body replaced; `\\ No newline` lines stay."""

    def one(line: str) -> str:
        return line if line.startswith("\\") else change(line)

    return each_hunk(sections, lambda hunk: replace(hunk, lines=tuple(map(one, hunk.lines))))


def body(sections: Sequence[Section]) -> list[str]:
    """All lines of all hunks."""
    return [line for section in sections for hunk in section.hunks for line in hunk.lines]
