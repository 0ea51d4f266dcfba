"""What a killed process leaves on the host's disk: removed, and in nobody's way meanwhile."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from filelock import FileLock

from tools.workspace.labels import Owner
from tools.workspace.mirrors import STALE_S, mirror_path, open_mirror, remove_halves
from tools.workspace.scratch import remove_dead_scratch, scratch

pytestmark = pytest.mark.usefixtures("no_git_config")


class Repository(Protocol):
    path: Path

    def git(self, *arguments: str, stdin: str | None = None) -> str: ...
    def commit(self, files: Mapping[str, str], message: str = "change") -> str: ...


New = Callable[[str], Repository]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of the test's own for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def dead() -> Owner:
    """A process of this machine that has ended."""
    with subprocess.Popen(["true"]) as process:
        return replace(Owner.current(), pid=process.pid)


def scratch_of(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What that process would leave if it were killed inside the block."""
    with monkeypatch.context() as patch:
        patch.setattr(Owner, "current", lambda: owner)
        with scratch() as path:
            name = path
    name.mkdir()
    (name / "file").touch()
    return name


def test_a_scratch_directory_goes_with_its_block(temporary: Path) -> None:
    with scratch() as path:
        (path / "file").touch()
        assert path.parent == temporary
    assert list(temporary.iterdir()) == []


def test_that_of_a_dead_process_is_removed_and_no_other(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = dead()
    left = scratch_of(gone, monkeypatch)
    stay = {
        scratch_of(owner, monkeypatch)
        for owner in (Owner.current(), replace(gone, boot="00000000.1"))
    }
    foreign = temporary / "agent_runner-bench-x"
    foreign.mkdir()
    assert remove_dead_scratch() == [left]
    assert set(temporary.iterdir()) == {*stay, foreign}


def test_a_half_mirror_is_removed_unless_somebody_is_at_it(tmp_path: Path) -> None:
    left, at_work, whole = (
        tmp_path / "mirrors" / name for name in ("a-1.part", "b-2.part", "c-3.git")
    )
    for path in (left, at_work, whole):
        (path / "objects").mkdir(parents=True)
    with FileLock(at_work.with_suffix(".lock")):
        assert remove_halves(tmp_path) == [left]
    assert not left.exists()
    assert at_work.exists()
    assert whole.exists()
    assert remove_halves(tmp_path / "nowhere") == []


async def test_locks_of_a_killed_git_stop_no_later_one(new_repository: New, tmp_path: Path) -> None:
    repository = new_repository("r")
    repository.commit({"a.txt": "one"})
    source, home = str(repository.path), tmp_path / "home"
    await open_mirror(source, "main", home, timeout_s=30)
    newest = repository.commit({"a.txt": "two"})
    path = mirror_path(source, home)
    locks = [path / "packed-refs.lock", path / "refs" / "heads" / "main.lock"]
    unfinished, at_work = (path / "objects" / "pack" / f"tmp_pack_{n}" for n in "ab")
    for left in (*locks, unfinished, at_work):
        left.parent.mkdir(exist_ok=True)
        left.touch()
    long_ago_s = time.time() - 2 * STALE_S
    os.utime(unfinished, (long_ago_s, long_ago_s))
    mirror = await open_mirror(source, "main", home, timeout_s=30)
    assert await mirror.commit_of("main") == newest
    assert not any(left.exists() for left in (*locks, unfinished))
    assert at_work.exists(), "somebody packs a history there"
