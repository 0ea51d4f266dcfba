"""History ends at the base commit, and the digest proves it."""

import asyncio
import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent_runner.benchmarks.seeds import tasks_file
from agent_runner.task import Task, load_tasks, locate
from tests.unit.conftest import MakeRepository
from tools.workspace.repository.git import git
from tools.workspace.repository.history import (
    ADVANCE,
    Step,
    allowed_digest,
    allowed_objects,
    objects_digest,
    step,
    tags_before,
)
from tools.workspace.repository.mirrors import Mirror, open_mirror

OFFLINE = [task for task in load_tasks(tasks_file()) if task.repo.endswith(".fast-import")]


@dataclass(frozen=True)
class Unpacked:
    """A history as it lies in a container."""

    path: Path

    @classmethod
    def of(cls, steps: list[Step], where: Path) -> "Unpacked":
        where.mkdir()
        unpacked = cls(where)
        for each in steps:
            unpacked.take(each)
        return unpacked

    def take(self, step: Step) -> None:
        """As `repository_layer.advance` does it."""
        with tarfile.open(step.tar) as tar:
            assert {(entry.uid, entry.gid) for entry in tar} == {(0, 0)}
            tar.extractall(self.path, filter="tar")
        argv = ["/bin/sh", "-c", ADVANCE, "sh", str(step.date_s)]
        subprocess.run(argv, cwd=self.path, check=True)

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
    steps: list[Step]
    digest: str
    tags: tuple[str, ...]


@pytest.fixture(scope="module")
def made(new_repository: MakeRepository, tmp_path_factory: pytest.TempPathFactory) -> Cut:
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

    async def cut() -> Cut:
        mirror = await open_mirror(str(repository.path), base, home, timeout_s=30)
        tags = await tags_before(mirror, base)
        steps = [await _step(mirror, base, home / "steps", tags=tags)]
        return Cut(base, later, mirror, steps, await allowed_digest(mirror, base), tags)

    return asyncio.run(cut())


async def _step(
    mirror: Mirror, commit: str, where: Path, *, since: str = "", tags: tuple[str, ...] = ()
) -> Step:
    directory = where / commit
    directory.mkdir(parents=True)
    return await step(mirror, commit, directory, since=since, tags=tags)


@pytest.fixture
def unpacked(made: Cut, tmp_path: Path) -> Unpacked:
    return Unpacked.of(made.steps, tmp_path / "testbed")


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
    assert made.tags == ("v1", "v1.1")
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
    assert objects_digest(listed) == made.digest == unpacked.digest()


def test_the_working_tree_is_that_of_the_base(unpacked: Unpacked) -> None:
    assert unpacked.git("status", "--porcelain") == ""
    assert (unpacked.path / "a.txt").read_text(encoding="utf-8") == "three"


@pytest.fixture
def stacked(new_repository: MakeRepository, tmp_path: Path) -> "Stacked":
    """Three years of history in two steps and the base."""
    repository = new_repository("stacked")
    files = {f"kept/{n}.txt": f"{n}\n" for n in range(5)}
    commits = []
    for year, change in enumerate(({"a.txt": "1"}, {"a.txt": "2"}, {"b.txt": "3"}, {"a.txt": "1"})):
        repository.commit({**files, **change} if not year else change)
        if year == 1:
            repository.git("mv", "kept/0.txt", "moved.txt")
            repository.git("rm", "-q", "kept/1.txt")
            repository.git("commit", "-q", "-m", "moved and removed")
        repository.git("tag", "-a", f"v{year}", "-m", f"of year {year}")
        commits.append(repository.git("rev-parse", "HEAD"))

    async def make() -> Stacked:
        mirror = await open_mirror(str(repository.path), commits[2], tmp_path / "h", timeout_s=30)
        tags = await tags_before(mirror, commits[2])
        steps = [
            await _step(mirror, commits[0], tmp_path),
            await _step(mirror, commits[1], tmp_path, since=commits[0]),
            await _step(mirror, commits[2], tmp_path, since=commits[1], tags=tags),
        ]
        return Stacked(mirror, commits, steps)

    return asyncio.run(make())


@dataclass(frozen=True)
class Stacked:
    mirror: Mirror
    commits: list[str]
    steps: list[Step]


async def test_steps_add_up_to_exactly_what_the_base_may_hold(
    stacked: Stacked, tmp_path: Path
) -> None:
    unpacked = Unpacked.of(stacked.steps, tmp_path / "testbed")
    assert unpacked.digest() == await allowed_digest(stacked.mirror, stacked.commits[2])
    assert unpacked.git("rev-parse", "HEAD") == stacked.commits[2]
    assert unpacked.git("tag").split() == ["v0", "v1", "v2"]
    assert unpacked.git("describe") == "v2"
    assert unpacked.git("fsck", "--full", "--strict") == ""
    assert unpacked.git("status", "--porcelain") == ""
    listed = unpacked.git("ls-files").split()
    there = sorted(
        str(path.relative_to(unpacked.path))
        for path in unpacked.path.rglob("*")
        if path.is_file() and ".git" not in path.parts
    )
    assert listed == there == ["a.txt", "b.txt", "kept/2.txt", "kept/3.txt", "kept/4.txt",
                               "moved.txt"]  # fmt: skip
    assert unpacked.git("blame", "-s", "a.txt").endswith("2")


def test_a_step_alone_holds_only_what_it_adds(stacked: Stacked, tmp_path: Path) -> None:
    whole = Unpacked.of(stacked.steps[:1], tmp_path / "first").git("count-objects", "-v")
    both = Unpacked.of(stacked.steps[:2], tmp_path / "both").git("count-objects", "-v")
    first, second = (int(said.split("in-pack: ")[1].split()[0]) for said in (whole, both))
    # Two commits, two trees and the blob of one file; the renamed one is the same blob.
    assert second - first == 6, (whole, both)


def test_a_step_writes_only_files_that_differ(stacked: Stacked, tmp_path: Path) -> None:
    unpacked = Unpacked.of(stacked.steps[:1], tmp_path / "testbed")
    # A copy keeps whole seconds and sizes, as an engine's commit does, but neither inode nor ctime.
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", "--preserve=timestamps", str(unpacked.path), str(copy)], check=True)
    moved = Unpacked(copy)
    inodes = {path: path.stat().st_ino for path in (copy / "kept").iterdir()}
    for each in stacked.steps[1:]:
        moved.take(each)
    left = {path: path.stat().st_ino for path in (copy / "kept").iterdir()}
    assert len(left) == 3
    assert left.items() <= inodes.items()
    assert moved.git("status", "--porcelain") == ""


def test_status_after_a_copy_reads_no_file(stacked: Stacked, tmp_path: Path) -> None:
    unpacked = Unpacked.of(stacked.steps, tmp_path / "testbed")
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", "--preserve=timestamps", str(unpacked.path), str(copy)], check=True)
    index = (copy / ".git" / "index").read_bytes()
    env = {**os.environ, "GIT_TRACE2_PERF": str(tmp_path / "trace")}
    subprocess.run(["git", "status"], cwd=copy, env=env, check=True, capture_output=True)
    assert (copy / ".git" / "index").read_bytes() == index, "git had to write its index anew"


def test_files_bear_the_date_of_the_commit_that_wrote_them(
    stacked: Stacked, tmp_path: Path
) -> None:
    unpacked = Unpacked.of(stacked.steps, tmp_path / "testbed")
    wrote = {"kept/2.txt": 0, "a.txt": 1, "b.txt": 2}
    dates = {name: int((unpacked.path / name).stat().st_mtime) for name in wrote}
    assert dates == {name: stacked.steps[at].date_s for name, at in wrote.items()}


def test_a_changed_file_is_seen_although_little_is_compared(
    stacked: Stacked, tmp_path: Path
) -> None:
    unpacked = Unpacked.of(stacked.steps, tmp_path / "testbed")
    (unpacked.path / "a.txt").write_text("9", encoding="utf-8")
    assert unpacked.git("status", "--porcelain").split() == ["M", "a.txt"]


def test_a_planted_later_commit_changes_the_digest(made: Cut, unpacked: Unpacked) -> None:
    unpacked.git("fetch", "-q", str(made.mirror.path), made.later)
    assert unpacked.digest() != made.digest


def test_a_single_planted_object_changes_the_digest(made: Cut, unpacked: Unpacked) -> None:
    (unpacked.path / "fix.txt").write_text("the fix itself", encoding="utf-8")
    unpacked.git("hash-object", "-w", "fix.txt")
    assert unpacked.digest() != made.digest


def test_a_digest_is_of_a_set() -> None:
    assert objects_digest(["b", "a", "b"]) == objects_digest(["a", "b"])
    assert objects_digest(["a"]) != objects_digest(["a", "b"])


@pytest.mark.parametrize("task", OFFLINE[::3], ids=lambda task: task.task_id)
async def test_a_seed_is_cut_at_its_base(task: Task, tmp_path: Path) -> None:
    source = locate(task, tasks_file().parent).source
    mirror = await open_mirror(source, task.ref, tmp_path / "home", timeout_s=30)
    steps = [await _step(mirror, task.ref, tmp_path / "steps")]
    unpacked = Unpacked.of(steps, tmp_path / "testbed")
    assert unpacked.git("rev-parse", "main") == task.ref
    later = set((await _ids(mirror, f"{task.ref}..main")) + (await _ids(mirror, "main..next")))
    assert later
    listed = unpacked.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    assert not later & set(listed.split())


async def _ids(mirror: Mirror, span: str) -> list[str]:
    return (await git("rev-list", span, cwd=mirror.path)).decode().split()
