"""What a patch does to which file, read leniently: for looking at it, not for applying it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# As `-p1` takes names; git quotes unusual ones.
_NAMED = re.compile(
    r'^(?:(?:---|\+\+\+) "?[^/\s"]+/|(?:rename (?:from|to)|copy to) "?|Index: [^/\s]+/)'
    r'(.+?)"?(?:\t.*)?$'
)
_GIT = re.compile(r'^diff --git "?[^/\s"]+/(.*?)"? "?[^/\s"]+/(.*?)"?$')
_HUNK = re.compile(r"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@ ?(.*)$")
_MODE = re.compile(r"^(?:(?:new|deleted) file mode|new mode|index \S+) (\d{6})$")
_SECTION = re.compile(r"^\[[\w.:\"' -]+\]\s*$")


@dataclass
class FileChange:
    """One file of a patch.

    Attributes:
        paths: its names, before and after.
        is_new: whether the patch makes it.
        modes: git's modes that are named for it.
        changed: lines added and removed, each with the section (`[name]`) it stands in.
        added: lines added.
    """

    paths: list[str] = field(default_factory=list)
    is_new: bool = False
    modes: list[str] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Its name after the patch, as far as it is known."""
        return self.paths[-1] if self.paths else ""


def changes(patch: bytes) -> Iterator[FileChange]:
    """The files of a patch with what is done to them."""
    current, left, section = FileChange(), [0, 0], ""
    for line in patch.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"):
        if max(left) > 0 and line[:1] in {" ", "+", "-", ""}:
            _count(left, line)
            section = line[1:].strip() if _SECTION.match(line[1:]) else section
            if line[:1] in {"+", "-"}:
                current.changed.append((section, line[1:]))
            if line[:1] == "+":
                current.added.append(line[1:])
        elif line.startswith("\\"):
            continue
        elif hunk := _HUNK.match(line):
            left = [int(hunk[1] or 1), int(hunk[2] or 1)]
            section = hunk[3].strip() if _SECTION.match(hunk[3]) else ""
        else:
            left = [0, 0]
            if _begins_file(line, current):
                yield current
                current = FileChange()
            _take_header(line, current)
    yield current


def _count(left: list[int], line: str) -> None:
    if line[:1] != "+":
        left[0] -= 1
    if line[:1] != "-":
        left[1] -= 1


def _begins_file(line: str, current: FileChange) -> bool:
    """Whether a header line belongs to the next file; without git's own lines `---` says so."""
    return line.startswith("diff --git ") or (line.startswith("--- ") and bool(current.changed))


def _take_header(line: str, current: FileChange) -> None:
    if found := _GIT.match(line):
        current.paths += [path for path in found.groups() if path]
    elif found := _NAMED.match(line):
        current.paths.append(found[1])
    elif line.startswith(("new file mode", "--- /dev/null")):
        current.is_new = True
    if found := _MODE.match(line):
        current.modes.append(found[1])
