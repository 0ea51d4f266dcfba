"""Reading what stands before the hunks of a file: git's header lines, or `---` and `+++`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.patching.change import SUBMODULE_MODE, Action, FileChange
from tools.patching.checksum import is_empty, read_index
from tools.patching.hunks import at_file_header
from tools.patching.names import at_epoch, git_pair, header_name, is_pair, plain_name, rooted
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal

__all__ = ["Section", "read_section"]

_MODES = {
    b"old mode ": (True, False),
    b"new mode ": (False, True),
    b"deleted file mode ": (True, False),
    b"new file mode ": (False, True),
}
_FROM = (b"rename from ", b"rename old ", b"copy from ")
_TO = (b"rename to ", b"rename new ", b"copy to ")
_SILENT = (b"similarity index ", b"dissimilarity index ")
_SAME = b"similarity index 100%"


@dataclass
class Section:
    """A file header while it is read.

    Attributes:
        change: what is known of the file so far, without its hunks.
        named: `---` and `+++` lines were there, so hunks must follow.
        ends_at_epoch: the new side bears the time of a file that does not exist.
        rewritten: it says how alike old and new content are, and that they differ.
    """

    change: FileChange
    named: bool = False
    ends_at_epoch: bool = False
    rewritten: bool = False


@dataclass
class _Fields:
    pair: tuple[str, str] | None = None
    action: Action = Action.MODIFY
    modes: list[int | None] = field(default_factory=lambda: [None, None])
    names: list[str] | None = None
    moved: list[str] = field(default_factory=lambda: ["", ""])
    epoch: bool = False
    rewritten: bool = False
    blobs: tuple[str, str] | None = None


def read_section(lines: Sequence[bytes], at: int) -> tuple[Section, int]:
    """Read the header of a file at `at`; gives it and the index of what follows.

    Raises:
        PatchRefusal: a binary file, a submodule, or a header from which no file can be told.
    """
    start, fields = at, _Fields()
    if lines[at].startswith(b"diff --git "):
        fields.pair = git_pair(lines[at])
        at += 1
        while at < len(lines) and _read_extended(lines[at], fields):
            at += 1
    if at < len(lines) and at_file_header(lines, at) and _of_this(lines, at, fields):
        if not all(line[4:].strip() for line in lines[at : at + 2]):
            raise PatchRefusal(
                Reason.MALFORMED, f"The header on line {at + 1} of the patch lacks a name."
            )
        fields.names = [header_name(lines[at]), header_name(lines[at + 1])]
        fields.epoch = at_epoch(lines[at + 1]) and not at_epoch(lines[at])
        at += 2
    elif at < len(lines) and lines[at].startswith(b"--- ") and not at_file_header(lines, at):
        raise PatchRefusal(
            Reason.MALFORMED, f"Line {at + 1} of the patch (`---`) is not followed by a `+++` line."
        )
    converted = all(line.endswith(b"\r") for line in lines[start:at])
    change = _change(fields, converted, start)
    return Section(change, fields.names is not None, fields.epoch, fields.rewritten), at


def _stands_alone(fields: _Fields) -> bool:
    """Whether what the git header says is a change even if no hunk follows."""
    if fields.action is Action.MODIFY:
        return None not in fields.modes and fields.modes[0] != fields.modes[1]
    return not fields.rewritten and (fields.blobs is None or is_empty(fields.blobs[1]))


def _of_this(lines: Sequence[bytes], at: int, fields: _Fields) -> bool:
    """Whether the `---` and `+++` lines name the file of the git header above, not the next one."""
    if fields.pair is None or not _stands_alone(fields):
        return True
    names = (header_name(lines[at]), header_name(lines[at + 1]))
    return all(map(is_pair, fields.pair, names))


def _read_extended(line: bytes, fields: _Fields) -> bool:
    line = line.rstrip()
    if line == b"GIT binary patch" or (
        line.startswith(b"Binary files ") and line[-6:] == b"differ"
    ):
        raise binary_refusal(" ".join(fields.pair or ("",)))
    if line.startswith(b"index "):
        words = line.split()
        if len(words) == 3:
            _set_mode(fields, words[2], old=True, new=False)
        fields.blobs = read_index(line)
        return True
    fields.rewritten |= line.startswith(_SILENT) and line != _SAME
    return _read_mode(line, fields) or _read_move(line, fields) or line.startswith(_SILENT)


def _read_mode(line: bytes, fields: _Fields) -> bool:
    for prefix, (is_old, is_new) in _MODES.items():
        if line.startswith(prefix):
            _set_mode(fields, line[len(prefix) :], old=is_old, new=is_new)
            if prefix == b"deleted file mode ":
                fields.action = Action.DELETE
            elif prefix == b"new file mode ":
                fields.action = Action.ADD
            return True
    return False


def _read_move(line: bytes, fields: _Fields) -> bool:
    for side, prefixes in enumerate((_FROM, _TO)):
        for prefix in prefixes:
            if line.startswith(prefix):
                fields.moved[side] = plain_name(line[len(prefix) :])
                fields.action = Action.COPY if prefix.startswith(b"copy") else Action.RENAME
                return True
    return False


def binary_refusal(name: str) -> PatchRefusal:
    """The refusal of a change that is given as binary data, or not given at all."""
    what = f"The patch changes a binary file ({name.strip() or 'unnamed'})."
    return PatchRefusal(Reason.BINARY, what)


def _set_mode(fields: _Fields, digits: bytes, *, old: bool, new: bool) -> None:
    try:
        mode = int(digits[:8], 8)
    except ValueError:
        return
    if mode == SUBMODULE_MODE:
        raise PatchRefusal(
            Reason.SUBMODULE, f"The patch changes a submodule ({' '.join(fields.pair or ())})."
        )
    if old and fields.modes[0] is None:
        fields.modes[0] = mode
    if new and fields.modes[1] is None:
        fields.modes[1] = mode


def _is_torn(name: str, paired: str) -> bool:
    """Whether the name is the beginning of that on the `diff --git` line."""
    wholes = (paired, rooted(paired))
    return name not in wholes and any(whole.startswith(name) for whole in wholes)


def _change(fields: _Fields, converted: bool, start: int) -> FileChange:
    moved = fields.action in (Action.RENAME, Action.COPY)
    names = fields.moved if moved else fields.names or list(fields.pair or ())
    if len(names) != 2 or not any(names) or (moved and not all(names)):
        raise PatchRefusal(
            Reason.MALFORMED, f"The header on line {start + 1} of the patch does not name a file."
        )
    old, new = names
    if fields.pair and moved and _is_torn(new, fields.pair[1]):
        raise PatchRefusal(
            Reason.INCOMPLETE, f"The header on line {start + 1} of the patch is cut off."
        )
    action = fields.action
    if action is Action.MODIFY and not old:
        action = Action.ADD
    elif action is Action.MODIFY and not new:
        action = Action.DELETE
    return FileChange(
        action=action,
        old=None if action is Action.ADD else old or new,
        new=None if action is Action.DELETE else new or old,
        pair=fields.pair,
        literal=moved,
        old_mode=fields.modes[0],
        new_mode=fields.modes[1],
        blobs=fields.blobs,
        converted=converted,
    )
