"""From what a model wrote to the file changes it means."""

from collections.abc import Sequence
from dataclasses import replace

from tools.patching.begin_patch import is_begin_patch, read_begin_patch
from tools.patching.change import Action, FileChange, Hunk, Line
from tools.patching.hunks import at_file_header, read_hunk
from tools.patching.limits import PatchLimits
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal
from tools.patching.sections import Section, binary_refusal, read_section

__all__ = ["parse"]

_GIT = b"diff --git "


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
    lines = raw.split(b"\n")
    if not lines[-1]:
        lines.pop()
    changes = read_begin_patch(lines) if is_begin_patch(lines) else _read_unified(lines)
    if not changes:
        raise PatchRefusal(Reason.EMPTY, "No diff was found in the text.")
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
    in_git = any(line.startswith(_GIT) for line in lines)
    changes: list[FileChange] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith(_GIT) or at_file_header(lines, at):
            section, at = read_section(lines, at)
            hunks, at = _read_hunks(lines, at, in_git=in_git)
            changes.append(_complete(section, hunks))
        elif line.startswith(b"@@ ") or line.rstrip() == b"@@":
            raise PatchRefusal(
                Reason.MALFORMED, f"The hunk on line {at + 1} of the patch belongs to no file."
            )
        elif line.startswith(b"Binary files ") and line.rstrip().endswith(b" differ"):
            raise binary_refusal(line[13:].decode("utf-8", "replace"))
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
        hunks.append(hunk)


def _complete(section: Section, hunks: tuple[Hunk, ...]) -> FileChange:
    change = replace(section.change, hunks=hunks)
    if change.action is Action.MODIFY and section.ends_at_epoch and _empties(hunks):
        return replace(change, action=Action.DELETE, new=None)
    if hunks or change.action is Action.DELETE:
        return change
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
