"""Reading one hunk: its header as it is, its body by the header's counts or else by its shape."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tools.patching.change import Hunk, Line, Mark, Span
from tools.patching.fence import is_fence
from tools.patching.names import header_name, is_pair
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal

__all__ = ["at_file_header", "at_section", "body_line", "read_header", "read_hunk"]

_NUMBERS = re.compile(
    rb"@@\s*-(\d{1,9})(?:,(\d{1,9}))?\s*\+(\d{1,9})(?:,(\d{1,9}))?\s*(?:@@)?(?P<rest>.*)", re.DOTALL
)
_SECTION = re.compile(rb"diff --git |diff -|Index: |\*\*\* |Only in |Binary files ")
_VERSION = re.compile(rb"\d+\.\d[\w.() -]*\s*")
_MARKS: dict[bytes, Mark] = {b" ": " ", b"-": "-", b"+": "+"}
NO_NEWLINE = b"\\"


@dataclass(frozen=True)
class Header:
    """What stands between and after the `@@`."""

    old: Span | None
    new: Span | None
    heading: bytes


def read_header(line: bytes) -> Header:
    """Read a line that begins with `@@`; numbers that make no sense are as good as none."""
    if line.startswith(b"@@@"):
        raise PatchRefusal(
            Reason.MALFORMED,
            "This is the combined diff of a merge; only plain diffs can be applied.",
        )
    match = _NUMBERS.match(line)
    if match:
        start, count, new_start, new_count = (
            None if group is None else int(group) for group in match.groups()[:4]
        )
        return Header(
            Span(start or 0, 1 if count is None else count),
            Span(new_start or 0, 1 if new_count is None else new_count),
            match["rest"].strip(),
        )
    # `@@ def f`, `@@ def f @@` and `@@ ... @@ def f` are all written; dots and signs name nothing.
    parts = [part.strip() for part in line.split(b"@@") if part.strip()]
    named = bool(parts) and re.search(rb"[A-Za-z_]{2}", parts[-1]) is not None
    return Header(None, None, parts[-1] if named else b"")


def read_hunk(lines: Sequence[bytes], start: int, *, in_git: bool) -> tuple[Hunk, int]:
    """Read the hunk whose header is at `start`; gives it and the index of what follows.

    The header's counts are believed when the body ends where they say. Otherwise the body reaches
    as far as its lines look like one. `in_git` says that the patch marks its files by `diff --git`,
    so that a removed line `-- x` is never taken for the header of another file.

    Raises:
        PatchRefusal: a line in the middle has no mark, or where the hunk ends cannot be told.
    """
    header = read_header(lines[start])
    end = _end_by_counts(lines, start + 1, header, in_git=in_git)
    if end is None:
        end = _end_by_shape(lines, start + 1, in_git=in_git)
    hunk = Hunk(
        lines=_body(lines[start + 1 : end]),
        old=header.old,
        new=header.new,
        anchors=(header.heading,) if header.heading else (),
        patch_line=start + 1,
    )
    if header.old and header.new:
        counts = (header.old.count, header.new.count)
        hunk = replace(hunk, recounted=counts != (len(hunk.before), len(hunk.after)))
    return hunk, end


def body_line(raw: bytes) -> Line | None:
    """A line of a hunk, None where it cannot be one; a context line may have lost its blank."""
    if not raw.rstrip(b"\r"):
        return Line(" ", raw)
    mark = _MARKS.get(raw[:1])
    return None if mark is None else Line(mark, raw[1:])


def at_file_header(lines: Sequence[bytes], at: int) -> bool:
    """Whether a `---` and a `+++` line stand here, as they do before the hunks of a file."""
    return lines[at].startswith(b"--- ") and at + 1 < len(lines) and lines[at + 1][:4] == b"+++ "


def at_section(line: bytes) -> bool:
    """Whether a line can only stand between two files of a patch."""
    return _SECTION.match(line) is not None


def _header_in_body(lines: Sequence[bytes], at: int, *, sane: bool) -> bool:
    if not at_file_header(lines, at) or not lines[at + 2 : at + 3]:
        return False
    if not lines[at + 2].startswith(b"@@"):
        return False
    return not sane or is_pair(header_name(lines[at]), header_name(lines[at + 1]))


def _end_by_counts(lines: Sequence[bytes], at: int, header: Header, *, in_git: bool) -> int | None:
    if header.old is None or header.new is None:
        return None
    old, new = header.old.count, header.new.count
    while old > 0 or new > 0:
        if at >= len(lines) or (not in_git and _header_in_body(lines, at, sane=True)):
            return None
        if not lines[at].startswith(NO_NEWLINE):
            line = body_line(lines[at])
            if line is None:
                return None
            old -= line.mark != "+"
            new -= line.mark != "-"
            if old < 0 or new < 0:
                return None
        at += 1
    while at < len(lines) and lines[at].startswith(NO_NEWLINE):
        at += 1
    if not _ends_here(lines, at):
        return None
    if at < len(lines) and lines[at].strip() and not _at_signature(lines, at):
        _check_rest(lines, at)
    return at


def _ends_here(lines: Sequence[bytes], at: int) -> bool:
    after = at
    while after < len(lines) and not lines[after].strip():
        after += 1
    if after == len(lines) or _header_in_body(lines, after, sane=True):
        return True
    if lines[after][:1] not in (b" ", b"+", b"-", NO_NEWLINE) or _at_signature(lines, after):
        return True
    if any(not line.rstrip(b"\r") for line in lines[at:after]):
        raise PatchRefusal(
            Reason.MALFORMED,
            f"Line {after + 1} of the patch stands after the end that its hunk's header gives "
            "and still looks like a part of it.",
        )
    return False


def _end_by_shape(lines: Sequence[bytes], at: int, *, in_git: bool) -> int:
    start = at
    while at < len(lines):
        line = lines[at]
        if _header_in_body(lines, at, sane=in_git) or _at_signature(lines, at):
            break
        if not line.startswith(NO_NEWLINE) and body_line(line) is None:
            _check_rest(lines, at)
            break
        at += 1
    while at > start and not lines[at - 1].rstrip(b"\r"):
        at -= 1
    return at


def _check_rest(lines: Sequence[bytes], stop: int) -> None:
    """Refuse a hunk that goes on behind a line without a mark: the rest must not be lost."""
    in_block = sum(map(is_fence, lines[:stop])) % 2 == 1
    for at in range(stop, len(lines)):
        line = lines[at]
        if (is_fence(line) and in_block) or line.startswith(b"@@") or at_section(line):
            return
        if at_file_header(lines, at):
            return
        if line[:1] in (b"+", b"-"):
            raise PatchRefusal(
                Reason.MALFORMED,
                f"Line {stop + 1} of the patch, in the middle of a hunk, begins with neither a "
                "blank nor + nor -.",
            )


def _at_signature(lines: Sequence[bytes], at: int) -> bool:
    """Whether the closing of a mailed patch stands here: `-- ` and git's version."""
    rest = [line for line in lines[at + 1 : at + 4] if line.strip()]
    return lines[at].rstrip() == b"--" and len(rest) == 1 and bool(_VERSION.fullmatch(rest[0]))


def _body(raw_lines: Sequence[bytes]) -> tuple[Line, ...]:
    found: list[Line] = []
    for raw in raw_lines:
        if raw.startswith(NO_NEWLINE):
            if found:
                last = found[-1]
                found[-1] = Line(last.mark, last.text, newline=False)
            continue
        line = body_line(raw)
        if line is not None:
            found.append(line)
    return tuple(found)
