"""Mirrors of local repositories and streams, with real git."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.repository.git import GitError, git
from tools.workspace.repository.history import allowed_objects
from tools.workspace.repository.mirrors import STALE_S, Mirror, UnknownRef, mirror_path, open_mirror

pytestmark = pytest.mark.usefixtures("no_git_config")


class Repository(Protocol):
    path: Path
    commits: list[str]

    def git(self, *arguments: str, stdin: str | None = None) -> str: ...
    def commit(self, files: Mapping[str, str], message: str = "change") -> str: ...


New = Callable[[str], Repository]


async def opened(source: Path, ref: str, tmp_path: Path) -> Mirror:
    return await open_mirror(str(source), ref, tmp_path / "home", timeout_s=30)


async def test_a_full_id_that_is_there_needs_its_source_no_more(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    first = repository.commit({"a.txt": "one"})
    mirror = await opened(repository.path, "main", tmp_path)
    shutil.rmtree(repository.path)
    again = await opened(repository.path, first, tmp_path)
    assert again == mirror
    assert await again.file(first, "a.txt") == b"one"
    with pytest.raises(InfraFault) as caught:
        await opened(repository.path, "main", tmp_path)
    assert caught.value.kind is FaultKind.MIRROR_FAILED
    assert caught.value.retryable


async def test_many_files_are_read_at_once(new_repository: New, tmp_path: Path) -> None:
    repository = new_repository("r")
    files = {
        "a.txt": "one\n\nmore\n", "empty": "", "d/b c.txt": "0123 blob 5\n", "no missing": "x",
        "\u00fc": "y",
    }  # fmt: skip
    commit = repository.commit(files)
    mirror = await opened(repository.path, commit, tmp_path)
    asked = [*files, "absent", "absent missing", "d", "new\nline", "a.txt"]
    assert await mirror.files(commit, asked) == {
        name: text.encode() for name, text in files.items()
    }
    assert await mirror.files(commit, ()) == {}


async def test_a_branch_is_fetched_again(new_repository: New, tmp_path: Path) -> None:
    repository = new_repository("r")
    first = repository.commit({"a.txt": "one"})
    assert await (await opened(repository.path, "main", tmp_path)).commit_of("main") == first
    second = repository.commit({"a.txt": "two"})
    mirror = await opened(repository.path, "main", tmp_path)
    assert await mirror.commit_of("main") == second


async def test_a_branch_that_was_rewritten_or_deleted_is_followed(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    base = repository.commit({"a.txt": "one"})
    repository.git("branch", "gone")
    lost = repository.commit({"a.txt": "two"})
    await opened(repository.path, "main", tmp_path)
    repository.git("reset", "-q", "--hard", base)
    repository.git("branch", "-D", "gone")
    new = repository.commit({"a.txt": "three"})
    mirror = await opened(repository.path, "main", tmp_path)
    assert await mirror.commit_of("main") == new
    assert await mirror.commit_of(lost) == lost
    with pytest.raises(UnknownRef):
        await mirror.commit_of("gone")


async def test_refs_of_every_kind_lead_to_their_commit(new_repository: New, tmp_path: Path) -> None:
    repository = new_repository("r")
    first = repository.commit({"a.txt": "one"})
    repository.git("tag", "v1")
    repository.git("tag", "-a", "v1-annotated", "-m", "one")
    repository.git("branch", "feature/x")
    second = repository.commit({"a.txt": "two"})
    mirror = await opened(repository.path, "HEAD", tmp_path)
    for ref in ("v1", "v1-annotated", "feature/x", first[:10], "HEAD~1", first):
        assert await mirror.commit_of(ref) == first
    assert await mirror.commit_of("HEAD") == second


async def test_head_is_the_sources_default_branch(new_repository: New, tmp_path: Path) -> None:
    repository = new_repository("r")
    repository.commit({"a.txt": "one"})
    repository.git("checkout", "-q", "-b", "develop")
    newest = repository.commit({"a.txt": "two"})
    mirror = await opened(repository.path, "HEAD", tmp_path)
    assert await mirror.commit_of("HEAD") == newest


@pytest.mark.parametrize("ref", ["nowhere", "0" * 40, "--all", "main:a.txt", "main^{tree}"])
async def test_an_unknown_ref_is_named(new_repository: New, tmp_path: Path, ref: str) -> None:
    repository = new_repository("r")
    repository.commit({"a.txt": "one"})
    with pytest.raises(UnknownRef, match="has no ref"):
        await opened(repository.path, ref, tmp_path)


async def test_a_commit_no_branch_reaches_is_had_by_its_id(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    base = repository.commit({"a.txt": "one"})
    lost = repository.commit({"a.txt": "two"})
    repository.git("reset", "-q", "--hard", base)
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    mirror = await opened(repository.path, lost, tmp_path)
    assert await mirror.file(lost, "a.txt") == b"two"
    again = await opened(repository.path, "main", tmp_path)
    assert await again.commit_of(lost) == lost


async def test_an_absent_source_is_a_fault_and_leaves_no_mirror(tmp_path: Path) -> None:
    with pytest.raises(InfraFault) as caught:
        await opened(tmp_path / "nowhere", "main", tmp_path)
    assert caught.value.kind is FaultKind.MIRROR_FAILED
    assert not mirror_path(str(tmp_path / "nowhere"), tmp_path / "home").exists()


async def test_what_an_interrupted_clone_left_is_in_nobodys_way(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    first = repository.commit({"a.txt": "one"})
    half = mirror_path(str(repository.path), tmp_path / "home").with_suffix(".part")
    (half / "objects").mkdir(parents=True)
    (half / "HEAD").write_text("broken", encoding="utf-8")
    mirror = await opened(repository.path, first, tmp_path)
    assert await mirror.commit_of("main") == first
    assert not half.exists()


async def test_a_stream_gives_the_same_commits_as_its_repository(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    first = repository.commit({"a.txt": "one"})
    repository.git("tag", "v1")
    stream = tmp_path / "seed.fast-import"
    stream.write_text(repository.git("fast-export", "--all") + "\n", encoding="utf-8")
    mirror = await opened(stream, "main", tmp_path)
    assert await mirror.commit_of("v1") == first
    assert await mirror.commit_of("HEAD") == first
    repository.commit({"a.txt": "two"})
    before = mirror_path(str(stream), tmp_path / "home")
    stream.write_text(repository.git("fast-export", "--all") + "\n", encoding="utf-8")
    assert mirror_path(str(stream), tmp_path / "home") != before


async def test_many_at_once_fill_one_mirror(new_repository: New, tmp_path: Path) -> None:
    repository = new_repository("r")
    first = repository.commit({"a.txt": "one"})
    async with asyncio.TaskGroup() as group:
        opening = [group.create_task(opened(repository.path, first, tmp_path)) for _ in range(3)]
    assert len({each.result().path for each in opening}) == 1


async def test_trees_and_files_are_read_at_a_commit(new_repository: New, tmp_path: Path) -> None:
    repository = new_repository("r")
    first = repository.commit({"a.txt": "one", "dir/größe.txt": "x"})
    repository.commit({"a.txt": "two", "later.txt": "y"})
    mirror = await opened(repository.path, "main", tmp_path)
    assert await mirror.paths(first) == ("a.txt", "dir/größe.txt")
    assert await mirror.file(first, "later.txt") is None
    assert b"later.txt" not in await mirror.tree(first)


async def test_a_git_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    await git("init", "-q", cwd=tmp_path)
    alias = f"alias.wait=!echo $$ > {tmp_path}/pid; sleep 30; true"
    async with asyncio.timeout(5):
        with pytest.raises(GitError, match="took longer"):
            await git("-c", alias, "wait", cwd=tmp_path, timeout_s=0.2)
    shell = Path("/proc", (tmp_path / "pid").read_text(encoding="ascii").strip(), "stat")
    for _ in range(200):
        if not is_alive(shell):
            return
        await asyncio.sleep(0.01)
    pytest.fail("what git started is still there")


def is_alive(stat: Path) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        return stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_a_git_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        await git("status", cwd=tmp_path)


async def test_a_mirror_is_indexed_and_says_the_same_as_without(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    for number in range(120):  # git unpacks what is smaller
        repository.commit({f"{number}.txt": f"{number}\n"})
    mirror = await opened(repository.path, "main", tmp_path)
    made = [path.relative_to(mirror.path) for path in mirror.path.rglob("*") if path.is_file()]
    assert Path("objects/info/commit-graph") in made
    assert any(path.suffix == ".bitmap" for path in made)
    base, later = repository.commits[60], repository.commits[61]
    objects = await allowed_objects(mirror, base)
    for path in made:
        if path.suffix == ".bitmap" or path.name in {"commit-graph", "multi-pack-index"}:
            (mirror.path / path).unlink()
    assert await allowed_objects(mirror, base) == objects
    assert base in objects
    assert later not in objects


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
