"""The project as a patch would leave it, file by file, while the patch is worked through."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from tools.patching.change import LINK_MODE, Action, FileChange
from tools.patching.checksum import check_not_applied, check_result, is_genuine
from tools.patching.cut import check_new_file
from tools.patching.doubts import check_converted
from tools.patching.entry import Entry
from tools.patching.match import Evidence
from tools.patching.modify import modified
from tools.patching.outcome import FileOutcome, Write
from tools.patching.paths import Target
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal
from tools.patching.rewrite import Rewritten
from tools.patching.text import FileText
from tools.patching.white_space import WhiteSpace

__all__ = ["Draft"]


class Draft:
    """The files that a patch has touched so far, over those of the project."""

    def __init__(
        self, tree: Mapping[str, Entry], seen: Evidence, space: WhiteSpace, *, genuine: bool
    ) -> None:
        """`genuine` says that git wrote the `index` lines of the patch for files as they are."""
        self._tree = tree
        self._seen = seen
        self._space = space
        self._genuine = genuine
        self._files: dict[str, Write | None] = {}

    def apply(self, change: FileChange, target: Target) -> FileOutcome:
        """Do one file section.

        Raises:
            PatchRefusal: it cannot be done on what is there.
        """
        old, new = target.old, target.new
        if old is None and new is not None:
            return self._add(change, new)
        if old is not None and new is None:
            return self._delete(change, old)
        if old is None or new is None:
            raise PatchRefusal(Reason.MALFORMED, "A section of the patch names no file.")
        if old != new:
            return self._move(change, old, new)
        if self._there(old) is None and _creates(change):
            return self._add(change, old)
        source = self._source(old, change)
        made = self._rewritten(change, source)
        self._files[old] = self._write(change, old, source, made)
        return _outcome(change, old, Action.MODIFY, made.how)

    def result(self) -> tuple[tuple[Write, ...], tuple[str, ...]]:
        """The files to write and the paths to delete, sorted, without those that stay as they are.

        Raises:
            PatchRefusal: a file stands where a directory would have to be, or a link leads out.
        """
        writes = []
        for path, write in sorted(self._files.items()):
            if write is not None:
                self._check_above(path)
                if write != self._at_first(path):
                    writes.append(write)
        deletes = [
            path
            for path, write in sorted(self._files.items())
            if write is None and self._at_first(path) is not None
        ]
        return tuple(writes), tuple(deletes)

    def _add(self, change: FileChange, path: str) -> FileOutcome:
        data = self._new_data(change, path)
        there = self._there(path)
        if there is not None:
            if there.data == data:
                raise PatchRefusal(
                    Reason.ALREADY_APPLIED, f"{path} exists already, with this very content."
                )
            raise PatchRefusal(Reason.FILE_EXISTS, f"{path} exists already.")
        mode = change.new_mode or 0
        self._files[path] = _checked_link(
            Write(path, data, executable=bool(mode & 0o100), link=mode == LINK_MODE)
        )
        return _outcome(change, path, Action.ADD, ("exact",))

    def _new_data(self, change: FileChange, path: str) -> bytes:
        lines = [line for hunk in change.hunks for line in hunk.lines]
        if len(change.hunks) > 1 or any(line.mark != "+" for line in lines):
            raise PatchRefusal(
                Reason.MALFORMED, f"{path}: a new file needs one hunk whose lines all begin with +."
            )
        for hunk in change.hunks:
            check_new_file(hunk, path)
        made = self._space.put_right([line.text for line in lines], path, is_new=True)
        data = FileText(made, not lines or lines[-1].newline).join()
        if self._genuine:
            check_result(change, data, path)
        return data

    def _delete(self, change: FileChange, path: str) -> FileOutcome:
        source = self._source(path, change)
        how: tuple[str, ...] = ("exact",)
        if change.hunks:
            made = self._rewritten(change, source)
            how = made.how
            if made.text.lines:
                raise PatchRefusal(
                    Reason.DOES_NOT_MATCH,
                    f"{path}: the patch deletes the file but does not list all of its lines "
                    f"({len(made.text.lines)} would be left).",
                )
        self._files[path] = None
        return _outcome(change, path, Action.DELETE, how)

    def _move(self, change: FileChange, old: str, new: str) -> FileOutcome:
        there = self._there(new)
        if there is not None and change.action is Action.MODIFY and self._there(old) is None:
            return self.apply(change, Target(new, new))
        source = self._source(old, change)
        if there is not None:
            raise PatchRefusal(Reason.FILE_EXISTS, f"{new} exists already.")
        made = self._rewritten(change, source)
        self._files[new] = self._write(change, new, source, made)
        if change.action is Action.COPY:
            return _outcome(change, new, Action.COPY, made.how, old)
        self._files[old] = None
        return _outcome(change, new, Action.RENAME, made.how, old)

    def _rewritten(self, change: FileChange, source: Write) -> Rewritten:
        text = FileText.of(source.data)
        if not any(hunk.changes for hunk in change.hunks):
            return Rewritten(text, ("exact",))
        check_not_applied(change, source.data, source.path)
        genuine = is_genuine(change, source.data)
        made = modified(source.path, change.hunks, text, self._seen, numbers=genuine)
        if change.converted:
            check_converted(change.hunks, text, source.path)
        if genuine:
            check_result(change, made.text.join(), source.path)
        return made

    def _write(self, change: FileChange, path: str, source: Write, made: Rewritten) -> Write:
        executable = source.executable
        if change.new_mode is not None and not source.link:
            executable = bool(change.new_mode & 0o100)
        return _checked_link(Write(path, made.text.join(), executable, source.link))

    def _source(self, path: str, change: FileChange) -> Write:
        source = self._there(path)
        if source is None:
            raise PatchRefusal(Reason.FILE_MISSING, f"{path} does not exist.")
        if source.link and not change.link:
            raise PatchRefusal(Reason.THROUGH_LINK, f"{path} is a symbolic link.")
        new_link = change.new_mode is not None and change.new_mode == LINK_MODE
        if not source.link and (new_link or change.link):
            raise PatchRefusal(Reason.NOT_A_FILE, f"{path} is no symbolic link.")
        return source

    def _there(self, path: str) -> Write | None:
        """What is at a path by now, None where nothing or a directory to be emptied is."""
        entry = self._tree.get(path, Entry())
        above = [str(parent) for parent in PurePosixPath(path).parents][:-1]
        if entry.link_above or any((self._files.get(one) or Write("", b"")).link for one in above):
            raise PatchRefusal(Reason.THROUGH_LINK, f"{path} lies behind a symbolic link.")
        if path in self._files:
            return self._files[path]
        if entry.kind == "directory":
            if any(one.startswith(f"{path}/") for one in self._tree):
                return None
            raise PatchRefusal(Reason.NOT_A_FILE, f"{path} is a directory.")
        return self._at_first(path)

    def _at_first(self, path: str) -> Write | None:
        entry = self._tree.get(path, Entry())
        if entry.kind not in ("file", "link"):
            return None
        return Write(path, entry.data, entry.executable, entry.kind == "link")

    def _check_above(self, path: str) -> None:
        above = [str(parent) for parent in PurePosixPath(path).parents][:-1]
        gone = any(one in self._files and self._files[one] is None for one in above)
        if any(self._files.get(one) for one in above) or (
            self._tree.get(path, Entry()).file_above and not gone
        ):
            raise PatchRefusal(
                Reason.NOT_A_FILE, f"{path}: a file stands where a directory must be."
            )


def _creates(change: FileChange) -> bool:
    """Whether a header without `/dev/null` is that of a new file, as `diff -N` writes it."""
    first = change.hunks[0] if len(change.hunks) == 1 else None
    return first is not None and first.old is not None and not first.old.index and not first.before


def _checked_link(write: Write) -> Write:
    if write.link:
        if not write.data or b"\n" in write.data:
            raise PatchRefusal(
                Reason.MALFORMED,
                f"{write.path}: where the link leads must be one line, with `\\ No newline at end "
                "of file` after it.",
            )
        target = PurePosixPath(write.data.decode("utf-8", "surrogateescape"))
        depth = len(PurePosixPath(write.path).parts) - 1
        for part in target.parts:
            depth += -1 if part == ".." else 1
            if depth < 0 or target.is_absolute():
                raise PatchRefusal(
                    Reason.OUTSIDE, f"{write.path}: the link would lead out of the project."
                )
    return write


def _outcome(
    change: FileChange, path: str, action: Action, how: tuple[str, ...], source: str | None = None
) -> FileOutcome:
    marks = [line.mark for hunk in change.hunks for line in hunk.lines]
    return FileOutcome(path, action, source, marks.count("+"), marks.count("-"), how)
