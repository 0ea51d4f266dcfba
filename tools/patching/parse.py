"""From what a model wrote to the file changes it means."""

import codecs
import re
from collections.abc import Sequence
from dataclasses import replace

from tools.patching.begin_patch import is_begin_patch, read_begin_patch
from tools.patching.change import Action, FileChange, Hunk, Line
from tools.patching.checksum import is_empty
from tools.patching.cut import believed
from tools.patching.fence import is_fence, unglued
from tools.patching.hunks import at_file_header, at_section, read_hunk
from tools.patching.limits import PatchLimits
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal
from tools.patching.sections import Section, binary_refusal, read_section

__all__ = ["parse"]

_GIT = b"diff --git "
# Parts of a file's header, indented or quoted perhaps, where no file begins.
_STRAY = re.compile(
    rb"[>|\s]*(?:diff --git \S|\+\+\+ \S|@@ -\d|rename (?:from|to) \S|similarity index \d"
    rb"|(?:new|deleted) file mode \d)"
)


def parse(patch: str | bytes, limits: PatchLimits | None = None) -> tuple[FileChange, ...]:
    """Read a unified diff, git's extended form of it, or `*** Begin Patch` blocks.

    Prose and code fences around and between the files are passed over. Nothing is looked up: names
    keep their prefixes and hunks their stated places, right or wrong.

    Raises:
        PatchRefusal: too large, binary, a submodule, nothing found, or not to be understood.
    """
    limits = limits or PatchLimits()
    raw = _as_bytes(patch)
    if len(raw) > limits.max_bytes:
        raise PatchRefusal(
            Reason.OVERSIZED,
            f"The patch has {len(raw):,} bytes; at most {limits.max_bytes:,} are taken.",
        )
    if b"\0" in raw:
        raise PatchRefusal(Reason.BINARY, "The patch holds zero bytes.")
    lines = raw.removeprefix(codecs.BOM_UTF8).split(b"\n")
    if not lines[-1]:
        lines.pop()
    lines = unglued(lines)
    changes = read_begin_patch(lines) if is_begin_patch(lines) else _read_unified(lines)
    if not changes:
        raise PatchRefusal(Reason.EMPTY, "No diff was found in the text.")
    changes = believed(changes, unended=not raw.endswith(b"\n"))
    return tuple(_unconverted(change) if change.converted else change for change in changes)


def _as_bytes(patch: str | bytes) -> bytes:
    if isinstance(patch, bytes):
        return patch
    try:
        return patch.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise PatchRefusal(
            Reason.MALFORMED, f"Character {error.start} of the patch is half of a surrogate pair."
        ) from error


def _read_unified(lines: Sequence[bytes]) -> tuple[FileChange, ...]:
    # Once a file came without `diff --git`, its absence no longer says that no file begins.
    in_git = True
    changes: list[FileChange] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith(_GIT) or at_file_header(lines, at):
            in_git = in_git and line.startswith(_GIT)
            section, at = read_section(lines, at)
            hunks, at = _read_hunks(lines, at, in_git=in_git)
            changes.append(_complete(section, hunks))
            if not hunks:
                _check_torn(lines, at, changes[-1])
        elif line.startswith(b"@@ ") or line.rstrip() == b"@@" or _STRAY.match(line):
            raise PatchRefusal(
                Reason.MALFORMED, f"Line {at + 1} of the patch is a header that belongs to no file."
            )
        elif line.startswith(b"Binary files ") and line.rstrip().endswith(b" differ"):
            raise binary_refusal(line[13:].decode("utf-8", "replace"))
        elif at == len(lines) - 1 and (line[:4] == b"--- " or _GIT.startswith(line or b"-")):
            raise PatchRefusal(
                Reason.INCOMPLETE, "The patch is cut off in the header of its last file."
            )
        else:
            at += 1
    return tuple(changes)


def _read_hunks(lines: Sequence[bytes], at: int, *, in_git: bool) -> tuple[tuple[Hunk, ...], int]:
    hunks: list[Hunk] = []
    while True:
        after = at
        while after < len(lines) and not lines[after].strip():
            after += 1
        if after == len(lines) or not lines[after].startswith(b"@@"):
            return tuple(hunks), at
        hunk, at = read_hunk(lines, after, in_git=in_git)
        hunks.append(replace(hunk, ends_block=_is_loose(lines, at)))


def _is_loose(lines: Sequence[bytes], at: int) -> bool:
    """Whether neither a hunk nor a file follows."""
    while at < len(lines) and not lines[at].strip():
        at += 1
    if at == len(lines):
        return True
    return not (lines[at].startswith((b"@@", _GIT)) or at_file_header(lines, at))


def _check_torn(lines: Sequence[bytes], at: int, change: FileChange) -> None:
    """Refuse a header without hunks that ends in a line which is no part of it, or nowhere.

    Raises:
        PatchRefusal: the patch ends in the middle of it.
    """
    line = lines[at].strip() if at < len(lines) else b""
    lone = change.action is Action.ADD and change.blobs is None and not b"".join(lines[at:]).strip()
    if lone or (line and not (_is_after_file(lines, at))):
        raise PatchRefusal(
            Reason.INCOMPLETE,
            f"{change.name}: the patch may have been cut off in the header of the file. That of an "
            "empty file ends in the line `index 0000000..e69de29`.",
        )


def _is_after_file(lines: Sequence[bytes], at: int) -> bool:
    line = lines[at]
    signature = line.rstrip() == b"--"
    return is_fence(line) or signature or at_file_header(lines, at) or at_section(line)


def _complete(section: Section, hunks: tuple[Hunk, ...]) -> FileChange:
    change = replace(section.change, hunks=hunks)
    if change.action is Action.MODIFY and section.ends_at_epoch and _empties(hunks):
        return replace(change, action=Action.DELETE, new=None)
    if hunks or change.action is Action.DELETE:
        return change
    if section.rewritten or (change.blobs and not is_empty(change.blobs[1])):
        raise PatchRefusal(
            Reason.INCOMPLETE,
            f"{change.name}: the header says that the content changes, but no hunk follows.",
        )
    mode_only = change.old_mode is not None and change.new_mode is not None
    if section.named or (change.action is Action.MODIFY and not mode_only):
        raise PatchRefusal(Reason.MALFORMED, f"The section of {change.name} holds no hunk.")
    return change


def _empties(hunks: tuple[Hunk, ...]) -> bool:
    return len(hunks) == 1 and not hunks[0].after


def _unconverted(change: FileChange) -> FileChange:
    """Take off the carriage returns that came with a conversion of the whole patch."""
    hunks = tuple(
        replace(
            hunk,
            lines=tuple(
                Line(line.mark, line.text.removesuffix(b"\r"), line.newline) for line in hunk.lines
            ),
        )
        for hunk in change.hunks
    )
    return replace(change, hunks=hunks)
