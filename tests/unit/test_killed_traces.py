"""What a killed process leaves on the host's disk: removed, and in nobody's way meanwhile."""

import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from tools.workspace.labels import Owner
from tools.workspace.repository.mirrors import remove_halves
from tools.workspace.scratch import remove_dead_scratch, scratch


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
