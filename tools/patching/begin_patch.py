"""Reading `*** Begin Patch` blocks, the format some models write instead of a unified diff."""

from collections.abc import Sequence
from dataclasses import replace

from tools.patching.change import Action, FileChange, Hunk, Line
from tools.patching.fence import is_fence
from tools.patching.hunks import at_file_header, body_line, read_header
from tools.patching.names import plain_name
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal

__all__ = ["is_begin_patch", "read_begin_patch"]

_ADD = b"*** Add File:"
_UPDATE = b"*** Update File:"
_DELETE = b"*** Delete File:"
_MOVE = b"*** Move to:"
_END_OF_FILE = b"*** End of File"
_BEGIN = b"*** Begin Patch"
_END = b"*** End Patch"
_STARTS = (_ADD, _UPDATE, _DELETE)


def is_begin_patch(lines: Sequence[bytes]) -> bool:
    """Whether any line starts a file the way this format does."""
    return any(line.startswith(_STARTS) for line in lines)


def read_begin_patch(lines: Sequence[bytes]) -> tuple[FileChange, ...]:
    """All file changes of the block or blocks in `lines`; text around them is passed over.

    Raises:
        PatchRefusal: a line inside a file section cannot belong there.
    """
    changes: list[FileChange] = []
    _check_ended(lines)
    at, inside = 0, False
    while at < len(lines):
        if lines[at].startswith((_BEGIN, _END)):
            inside = lines[at].startswith(_BEGIN)
        elif inside and lines[at].strip() and not lines[at].startswith(_STARTS):
            # What stands behind a fence, a context line that lost its blank, would be dropped.
            raise PatchRefusal(
                Reason.MALFORMED, f"Line {at + 1} of the patch belongs to no file section."
            )
        if lines[at].startswith(b"diff --git "):
            raise PatchRefusal(
                Reason.MALFORMED, "The patch mixes `*** Begin Patch` sections with `diff --git`."
            )
        if not lines[at].startswith(_STARTS):
            at += 1
            continue
        change, at = _read_file(lines, at)
        changes.append(change)
    return tuple(changes)


def _check_ended(lines: Sequence[bytes]) -> None:
    ends = [line.startswith(_END) for line in lines if line.startswith((_BEGIN, _END))]
    if ends and not ends[-1]:
        raise PatchRefusal(
            Reason.INCOMPLETE, "The patch may have been cut off: `*** End Patch` is missing."
        )


def _read_file(lines: Sequence[bytes], at: int) -> tuple[FileChange, int]:
    line = lines[at]
    keyword = next(start for start in _STARTS if line.startswith(start))
    name = plain_name(line[len(keyword) :])
    end = at + 1
    while end < len(lines) and not _ends_file(lines[end]):
        end += 1
    body = lines[at + 1 : end]
    converted = line.endswith(b"\r")
    if keyword == _ADD:
        return FileChange(
            Action.ADD, None, name, literal=True, hunks=_added(body, at + 1), converted=converted
        ), end
    if keyword == _DELETE:
        return FileChange(Action.DELETE, name, None, literal=True), end
    target = name
    if body and body[0].startswith(_MOVE):
        target = plain_name(body[0][len(_MOVE) :])
        body, at = body[1:], at + 1
    hunks = _updates(body, at + 1)
    action = Action.MODIFY if target == name else Action.RENAME
    if action is Action.MODIFY and not hunks:
        raise PatchRefusal(Reason.MALFORMED, f"The section of {name} holds no change.")
    return FileChange(action, name, target, literal=True, hunks=hunks, converted=converted), end


def _ends_file(line: bytes) -> bool:
    return line.startswith((*_STARTS, _END)) or is_fence(line)


def _added(body: Sequence[bytes], offset: int) -> tuple[Hunk, ...]:
    rows = _strip_blank_end(body)
    lines: list[Line] = []
    for at, raw in enumerate(rows):
        if raw.startswith(b"\\") and lines:
            lines[-1] = replace(lines[-1], newline=False)
        elif raw.startswith(b"+"):
            lines.append(Line("+", raw[1:]))
        else:
            raise _unmarked(offset + at + 1, "+")
    return (Hunk(tuple(lines), patch_line=offset + 1),) if lines else ()


def _updates(body: Sequence[bytes], offset: int) -> tuple[Hunk, ...]:
    """Cut at the `@@` lines; several in a row name nested places for the hunk below them."""
    rows = _strip_blank_end(body)
    skip = 2 if rows and at_file_header(rows, 0) else 0
    hunks: list[Hunk] = []
    head = Hunk(())
    lines: list[Line] = []
    for at, raw in enumerate(rows[skip:], offset + skip + 1):
        if raw.startswith(b"@@"):
            if lines:
                hunks.append(_closed(head, lines))
                head, lines = Hunk(()), []
            header = read_header(raw)
            named = (header.heading,) if header.heading else ()
            head = Hunk((), header.old, header.new, head.anchors + named, patch_line=at)
        elif raw.startswith(_END_OF_FILE):
            head = replace(head, at_end=True)
        elif raw.startswith(b"\\"):
            if lines:
                lines[-1] = replace(lines[-1], newline=False)
        else:
            line = body_line(raw)
            if line is None:
                raise _unmarked(at, "a blank, + or -")
            lines.append(line)
            head = replace(head, patch_line=head.patch_line or at)
    if lines:
        hunks.append(_closed(head, lines))
    return tuple(hunks)


def _closed(head: Hunk, lines: list[Line]) -> Hunk:
    while lines and not lines[-1].text.strip() and lines[-1].mark == " ":
        lines = lines[:-1]
    hunk = replace(head, lines=tuple(lines))
    if hunk.old and hunk.new:
        counts = (hunk.old.count, hunk.new.count)
        hunk = replace(hunk, recounted=counts != (len(hunk.before), len(hunk.after)))
    return hunk


def _strip_blank_end(rows: Sequence[bytes]) -> Sequence[bytes]:
    end = len(rows)
    while end and not rows[end - 1].strip():
        end -= 1
    return rows[:end]


def _unmarked(number: int, wanted: str) -> PatchRefusal:
    return PatchRefusal(
        Reason.MALFORMED, f"Line {number} of the patch does not begin with {wanted}."
    )
