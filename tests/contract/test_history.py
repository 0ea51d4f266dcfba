"""History ends at the base commit, and the digest proves it."""

import asyncio
import io
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from agent_runner.benchmarks.seeds import tasks_file
from agent_runner.task import Task, load_tasks, locate
from tools.workspace.git import git
from tools.workspace.history import History, allowed_objects, cut, objects_digest
from tools.workspace.mirrors import Mirror, open_mirror

OFFLINE = [task for task in load_tasks(tasks_file()) if task.repo.endswith(".fast-import")]


class Repository(Protocol):
    path: Path

    def git(self, *arguments: str, stdin: str | None = None) -> str: ...
    def commit(self, files: Mapping[str, str], message: str = "change") -> str: ...


New = Callable[[str], Repository]


@dataclass(frozen=True)
class Unpacked:
    """A history as it lies in a container."""

    path: Path

    @classmethod
    def of(cls, history: History, where: Path) -> "Unpacked":
        with tarfile.open(fileobj=io.BytesIO(history.tar)) as tar:
            assert {(entry.uid, entry.gid) for entry in tar} == {(0, 0)}
            tar.extractall(where, filter="tar")
        return cls(where)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def digest(self) -> str:
        """As the container measures it."""
        listing = "git cat-file --batch-all-objects --batch-check='%(objectname)'"
        command = f"{listing} | LC_ALL=C sort -u | sha256sum"
        return subprocess.run(
            ["/bin/sh", "-c", command], cwd=self.path, capture_output=True, text=True, check=True
        ).stdout.split()[0]


@dataclass(frozen=True)
class Cut:
    """A repository with a past and a future, cut at its base."""

    base: str
    later: str
    mirror: Mirror
    history: History


@pytest.fixture(scope="module")
def made(new_repository: New, tmp_path_factory: pytest.TempPathFactory) -> Cut:
    repository = new_repository("r")
    repository.commit({"a.txt": "one"})
    repository.git("tag", "v1")
    repository.commit({"a.txt": "two"})
    repository.git("tag", "-a", "v1.1", "-m", "a tag object")
    base = repository.commit({"a.txt": "three"})
    repository.git("checkout", "-q", "-b", "side", "v1")
    repository.commit({"side.txt": "elsewhere"})
    repository.git("tag", "side-tag")
    repository.git("checkout", "-q", "main")
    later = repository.commit({"a.txt": "the fix"})
    repository.git("tag", "-a", "v2", "-m", "later")
    home = tmp_path_factory.mktemp("home")

    async def both() -> tuple[Mirror, History]:
        mirror = await open_mirror(str(repository.path), base, home, timeout_s=30)
        return mirror, await cut(mirror, base)

    return Cut(base, later, *asyncio.run(both()))


@pytest.fixture
def unpacked(made: Cut, tmp_path: Path) -> Unpacked:
    return Unpacked.of(made.history, tmp_path / "testbed")


def test_nothing_after_the_base_is_there(made: Cut, unpacked: Unpacked) -> None:
    git = unpacked.git
    assert git("rev-parse", "HEAD", "main").split() == [made.base, made.base]
    assert git("rev-list", "--count", "--all") == "3"
    assert git("for-each-ref", "--format=%(refname)").split() == [
        "refs/heads/main", "refs/tags/v1", "refs/tags/v1.1"
    ]  # fmt: skip
    listed = git("cat-file", "--batch-all-objects", "--batch-check")
    assert made.base in listed
    assert made.later not in listed
    with pytest.raises(subprocess.CalledProcessError):
        git("cat-file", "-e", made.later)


def test_tags_before_the_base_stay_and_others_go(made: Cut, unpacked: Unpacked) -> None:
    assert made.history.tags == ("v1", "v1.1")
    assert unpacked.git("describe") == f"v1.1-1-g{made.base[:7]}"
    assert unpacked.git("tag", "--list").split() == ["v1", "v1.1"]


def test_no_trace_of_where_it_came_from_is_left(unpacked: Unpacked) -> None:
    store = unpacked.path / ".git"
    names = {path.name for path in store.rglob("*")}
    assert not names & {"FETCH_HEAD", "ORIG_HEAD", "hooks", "logs", "alternates"}
    assert "remote" not in (store / "config").read_text(encoding="utf-8")


async def test_the_digest_is_that_of_the_objects_there(made: Cut, unpacked: Unpacked) -> None:
    listed = unpacked.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    assert set(listed) == await allowed_objects(made.mirror, made.base)
    assert objects_digest(listed) == made.history.objects_sha256 == unpacked.digest()


def test_the_working_tree_is_clean_once_checked_out(unpacked: Unpacked) -> None:
    unpacked.git("reset", "-q", "--hard")
    assert unpacked.git("status", "--porcelain") == ""
    assert (unpacked.path / "a.txt").read_text(encoding="utf-8") == "three"


def test_a_planted_later_commit_changes_the_digest(made: Cut, unpacked: Unpacked) -> None:
    unpacked.git("fetch", "-q", str(made.mirror.path), made.later)
    assert unpacked.digest() != made.history.objects_sha256


def test_a_single_planted_object_changes_the_digest(made: Cut, unpacked: Unpacked) -> None:
    (unpacked.path / "fix.txt").write_text("the fix itself", encoding="utf-8")
    unpacked.git("hash-object", "-w", "fix.txt")
    assert unpacked.digest() != made.history.objects_sha256


def test_a_digest_is_of_a_set() -> None:
    assert objects_digest(["b", "a", "b"]) == objects_digest(["a", "b"])
    assert objects_digest(["a"]) != objects_digest(["a", "b"])


@pytest.mark.parametrize("task", OFFLINE[::3], ids=lambda task: task.task_id)
async def test_a_seed_is_cut_at_its_base(task: Task, tmp_path: Path) -> None:
    source = locate(task, tasks_file().parent).source
    mirror = await open_mirror(source, task.ref, tmp_path / "home", timeout_s=30)
    unpacked = Unpacked.of(await cut(mirror, task.ref), tmp_path / "testbed")
    assert unpacked.git("rev-parse", "main") == task.ref
    later = set((await _ids(mirror, f"{task.ref}..main")) + (await _ids(mirror, "main..next")))
    assert later
    listed = unpacked.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    assert not later & set(listed.split())


async def _ids(mirror: Mirror, span: str) -> list[str]:
    return (await git("rev-list", span, cwd=mirror.path)).decode().split()
