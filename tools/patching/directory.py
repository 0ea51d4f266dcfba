"""A plan carried out on a directory of this machine: all of it or nothing."""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from tools.patching.entry import Entry
from tools.patching.outcome import Plan, Write

__all__ = ["carry_out", "read_tree"]


def read_tree(root: Path, paths: Sequence[str]) -> dict[str, Entry]:
    """What stands at each path below `root`; no link is followed."""
    return {path: _read(root, path) for path in paths}


def carry_out(plan: Plan, root: Path) -> None:
    """Write and delete what the plan says.

    New content is written beside and moved into place by rename; on a failure every step is undone.

    Raises:
        OSError: a file could not be written; the directory is as it was before.
    """
    store = Path(tempfile.mkdtemp(prefix=".patch-", dir=root))
    undo: list[Callable[[], object]] = []
    try:
        for number, path in enumerate(plan.deletes):
            _set_aside(root / path, store / f"deleted-{number}", undo)
        _prune(root, plan.deletes, undo)
        for number, write in enumerate(plan.writes):
            _put(write, root, store, number, undo)
    except OSError:
        for step in reversed(undo):
            step()
        raise
    finally:
        shutil.rmtree(store, ignore_errors=True)


def _read(root: Path, path: str) -> Entry:
    place = root
    for part in PurePosixPath(path).parts[:-1]:
        place = place / part
        if place.is_symlink():
            return Entry(link_above=True)
        if place.exists() and not place.is_dir():
            return Entry(file_above=True)
    place = root / path
    try:
        mode = place.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return Entry()
    if stat.S_ISLNK(mode):
        return Entry("link", os.fsencode(place.readlink()))
    if not stat.S_ISREG(mode):
        return Entry("directory")
    return Entry("file", place.read_bytes(), bool(mode & stat.S_IXUSR))


def _set_aside(place: Path, store: Path, undo: list[Callable[[], object]]) -> None:
    place.rename(store)
    undo.append(lambda: store.rename(place))


def _prune(root: Path, deletes: Sequence[str], undo: list[Callable[[], object]]) -> None:
    """Remove the directories that deletions leave empty, the deepest first."""
    above = {parent for path in deletes for parent in PurePosixPath(path).parents}
    for parent in sorted(above, key=lambda one: -len(one.parts)):
        place = root / parent
        if parent.parts and place.is_dir() and not any(place.iterdir()):
            mode = stat.S_IMODE(place.stat().st_mode)
            place.rmdir()
            undo.append(_remake(place, mode))


def _remake(place: Path, mode: int) -> Callable[[], object]:
    def step() -> None:
        place.mkdir()
        place.chmod(mode)

    return step


def _put(
    write: Write, root: Path, store: Path, number: int, undo: list[Callable[[], object]]
) -> None:
    place, staged = root / write.path, store / f"new-{number}"
    for parent in reversed(PurePosixPath(write.path).parents[:-1]):
        directory = root / parent
        if not directory.is_dir():
            directory.mkdir()
            undo.append(directory.rmdir)
    if write.link:
        staged.symlink_to(os.fsdecode(write.data))
    else:
        staged.write_bytes(write.data)
        _set_mode(staged, place, executable=write.executable)
    if place.is_symlink() or place.exists():
        kept = store / f"old-{number}"
        shutil.copy2(place, kept, follow_symlinks=False)
        undo.append(lambda: kept.replace(place))
    else:
        undo.append(lambda: place.unlink(missing_ok=True))
    staged.replace(place)


def _set_mode(staged: Path, place: Path, *, executable: bool) -> None:
    with contextlib.suppress(FileNotFoundError):
        staged.chmod(stat.S_IMODE(place.lstat().st_mode))
    mode = stat.S_IMODE(staged.stat().st_mode)
    if executable != bool(mode & stat.S_IXUSR):
        readers = (mode & 0o444) >> 2
        staged.chmod(mode | readers if executable else mode & ~0o111)
