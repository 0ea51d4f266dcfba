"""What instances of one repository share is stored once, and goes when nothing uses it."""

import io
import os
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent_runner.config import CacheLevel, RunConfig
from agent_runner.images.cache_level import layers_kept
from agent_runner.images.prune import prune
from agent_runner.observer import Observer
from agent_runner.prepare import Prepared, prepare
from agent_runner.stages import Stages
from agent_runner.task import Located, Task
from tests.docker.conftest import AS_OF
from tests.unit.conftest import MakeRepository, Repository
from tools.workspace.build.builder import Builder
from tools.workspace.container import ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.faults import InfraFault
from tools.workspace.isolation import host_addresses, measure
from tools.workspace.layers.base_image import Base
from tools.workspace.layers.in_use import InUse
from tools.workspace.layers.official_tag import tag_officially
from tools.workspace.layers.other_copies import remove_other_copies
from tools.workspace.layers.sizes import lineage, named, weigh
from tools.workspace.repository import checkpoints
from tools.workspace.repository.history import allowed_digest
from tools.workspace.spec import PROJECT, WorkspaceSpec
from tools.workspace.start import running
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker
DATES = ("2019-12-30", "2020-01-02", "2020-12-31", "2021-07-02", "2021-08-01")
KB = 1000


def commit_at(repository: Repository, date: str, files: dict[str, str]) -> str:
    repository.commit(files)
    env = {**os.environ, "GIT_COMMITTER_DATE": f"{date}T12:00:00Z"}
    argv = ["git", "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-q", "--amend"]
    subprocess.run([*argv, "--no-edit"], cwd=repository.path, env=env, check=True)
    return repository.git("rev-parse", "HEAD")


class Shelf:
    """A repository with five commits of two eras, and instances of its own made of them."""

    def __init__(
        self, repository: Repository, engine: Engine, home: Path, run: str,
        dates: tuple[str, ...] = DATES,
    ) -> None:  # fmt: skip
        large = {f"data/{n}.txt": os.urandom(40_000).hex() for n in range(5)}
        self.commits = [
            commit_at(repository, date, {"own.py": f"answer = {n}\n"} | (large if not n else {}))
            for n, date in enumerate(dates)
        ]
        self._source = str(repository.path)
        self._engine, self._home, self._run = engine, home, run
        self.tags: list[str] = []

    async def made(self, at: int, level: CacheLevel = "instance") -> Prepared:
        """The instance of a commit, made in a run of its own that is over now."""
        async with layers_kept(self._engine, level, self._home, Observer(quiet=True)) as layers:
            task = Task(task_id="own", repo=self._source, ref=self.commits[at], created_at=AS_OF)
            ready = await prepare(
                self._engine, RunConfig(), Located(task, self._source), run=self._run,
                home=self._home, stages=Stages(time.monotonic()), layers=layers,
                observer=Observer(quiet=True, log=io.StringIO()),
            )  # fmt: skip
            self.tags += await lineage(self._engine, ready.instance.tag)
        return ready

    def ours(self) -> list[str]:
        """The tags that came with this repository, those on top first."""
        kinds = ("/instance:", "/recent:", "/env:", "/repository:")
        unique = list(dict.fromkeys(self.tags))
        return [tag for kind in kinds for tag in unique if kind in tag]


RECENT = ("2019-12-30", "2020-12-31", "2021-03-01", "2021-07-02", "2021-08-01")


@pytest.fixture
async def shelf(
    new_repository: MakeRepository, engine: Engine, home: Path, run_id: str,
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest,
) -> AsyncIterator[Shelf]:  # fmt: skip
    monkeypatch.setattr(checkpoints, "WORTH_COMMITS", 1)
    dates = getattr(request, "param", DATES)
    shelf = Shelf(new_repository("own"), engine, home, run_id, dates)
    before = {tag for image in await engine.images_with("agent_runner.layer") for tag in image.tags}
    yield shelf
    for tag in shelf.ours():
        if tag not in before:
            await engine.remove_image(tag)


@pytest.mark.parametrize("shelf", [RECENT], indirect=True)
async def test_what_is_recent_is_shared_on_the_environment(
    shelf: Shelf, engine: Engine, home: Path, container_spec: ContainerSpec
) -> None:
    first = await shelf.made(3, "env")
    assert await engine.image(first.instance.tag) is None
    there = [tag for tag in shelf.ours() if await engine.image(tag) and "/recent:" in tag]
    second = await shelf.made(4)
    tags = await lineage(engine, second.instance.tag)
    assert [tag for tag in tags if "/recent:" in tag] == there == [tags[1]]
    assert shelf.commits[2][:8] in tags[1]
    assert tags[2] == second.instance.environment == first.instance.environment
    async with running(engine, replace(container_spec, image=second.instance.image.id)) as made:
        found = await measure(
            made, second.mirror, second.commit, second.instance.objects_sha256,
            project="", hidden_blobs={}, hosts=await host_addresses(engine),
        )  # fmt: skip
        assert (found.commits_after_base, found.unreachable_objects) == (0, 0)
        assert second.instance.objects_sha256 == await allowed_digest(second.mirror, second.commit)
        log = await made.check("git", "log", "--format=%H", cwd=PROJECT)
        assert log.decode().split() == shelf.commits[::-1]
        assert await made.check("git", "status", "--porcelain", cwd=PROJECT) == b""
        assert await made.check("git", "fsck", "--full", "--strict", cwd=PROJECT) == b""

    async def would_go(level: str | None) -> set[str]:
        gone = await prune(engine, home, level, time.time() + 1, dry_run=True)
        return {one.name for one in gone} & set(shelf.ours())

    assert {*tags[:3]} <= await would_go("env")
    assert tags[1] not in await would_go("instance") | await would_go(None)
    await engine.remove_image(tags[0])
    assert {*tags[1:3]} <= await would_go(None)


async def test_instances_of_one_repository_share_its_history(
    shelf: Shelf, engine: Engine, container_spec: ContainerSpec
) -> None:
    first, second = await shelf.made(3), await shelf.made(4)
    one, other = [
        [tag for tag in await lineage(engine, ready.instance.tag) if "/repository:" in tag]
        for ready in (first, second)
    ]
    assert one == other
    assert len(one) == 2, "the era, and the year"
    assert shelf.commits[2][:8] in one[0]
    assert shelf.commits[0][:8] in one[1]
    sized = {image.name: image for image in (await weigh(engine)).images}
    assert sized[one[1]].own_bytes > 400 * KB
    assert sized[one[0]].own_bytes < 100 * KB
    for ready in (first, second):
        assert sized[ready.instance.tag].unshared_bytes < 100 * KB
        assert sized[ready.instance.tag].shared_bytes > 400 * KB
    assert sized[one[0]].unshared_bytes == 0, "an instance stands on it"

    async with running(engine, replace(container_spec, image=second.instance.image.id)) as made:
        found = await measure(
            made, second.mirror, second.commit, second.instance.objects_sha256,
            project="", hidden_blobs={}, hosts=await host_addresses(engine),
        )  # fmt: skip
        assert (found.commits_after_base, found.unreachable_objects) == (0, 0)
        assert second.instance.objects_sha256 == await allowed_digest(second.mirror, second.commit)
        assert found.foreign_git_stores == ()
        log = await made.check("git", "log", "--format=%H", cwd=PROJECT)
        assert log.decode().split() == shelf.commits[::-1]
        assert b"+answer = 1" in await made.check("git", "show", "HEAD~3", cwd=PROJECT)
        assert await made.check("git", "status", "--porcelain", cwd=PROJECT) == b""
        assert await _written(made._container) == 0, "status wrote something"
        await made.check("/bin/sh", "-c", "echo new >> own.py; git add -A", cwd=PROJECT)
        workspace = Workspace(made, WorkspaceSpec("own", "", second.commit, AS_OF), engine)
        assert b"+new" in await workspace.collect()
        assert await _written(made._container) < 100 * KB, "a pack was copied up"


async def _written(container: object) -> int:
    shown = await container.show(size=1)  # type: ignore[attr-defined]
    return int(shown.get("SizeRw") or 0)


async def test_the_bases_own_copy_of_the_project_goes(builder: Builder, base: Base) -> None:
    script = "import importlib.util as u; print(u.find_spec('pandas') is not None)"
    async with builder.container(base.image.id) as made:
        for there in ("True", "False"):
            found = await made.step("looking", "/usr/local/bin/python3", "-c", script)
            assert found.stdout.decode().strip() == there
            await remove_other_copies(made, "Pandas")
        left = await made.step("looking", "find", "/", "-xdev", "-iname", "pandas-*")
        assert left.stdout == b""
        await remove_other_copies(made, "")


@pytest.mark.parametrize(
    ("level", "stays"),
    [
        ("env", {"env", "repository"}),
        ("base", set()),
    ],
)
async def test_what_stays_after_a_run(
    level: CacheLevel, stays: set[str], shelf: Shelf, engine: Engine
) -> None:
    ready = await shelf.made(4, level)
    there = {tag for tag in shelf.ours() if await engine.image(tag)}
    own = {tag for tag in there if "/env:" not in tag} | ({ready.instance.environment} & there)
    assert {tag.partition("/")[2].partition(":")[0] for tag in own} == stays


async def test_a_run_leaves_what_another_one_works_with(
    shelf: Shelf, engine: Engine, home: Path
) -> None:
    first = await shelf.made(4)
    environment = first.instance.environment
    with InUse(home) as own:
        assert not await own.remove(engine, environment, below=True), "an instance stands on it"
    assert await engine.image(environment) is not None
    await shelf.made(4, "none")
    assert await engine.image(first.instance.tag) is not None, "it was there before"
    await engine.remove_image(first.instance.tag)
    with InUse(home) as other:
        await other.hold(first.instance.tag)
        await shelf.made(4, "env")
        assert await engine.image(first.instance.tag) is not None
    again = await shelf.made(4, "env")
    assert not again.instance.built
    assert await engine.image(first.instance.tag) is None, "the last one did not take it along"


async def test_an_official_name_never_goes_over_a_foreign_image(
    shelf: Shelf, engine: Engine, throwaway: list[str]
) -> None:
    ready = await shelf.made(0)
    name, foreign = "agent-runner-test/official:latest", "agent-runner-test/foreign:latest"
    throwaway += [name, foreign]
    await tag_officially(engine, ready.instance.tag, name)
    await tag_officially(engine, ready.instance.tag, name)
    there = await engine.image(name)
    assert there is not None
    assert there.id == ready.instance.image.id
    assert named(there.tags)[0] == ready.instance.tag
    await engine.import_rootfs(io.BytesIO(b"\0" * 10_240), foreign, {}, {})
    before = await engine.image(foreign)
    with pytest.raises(InfraFault, match="did not make"):
        await tag_officially(engine, ready.instance.tag, foreign)
    assert await engine.image(foreign) == before


async def test_prune_takes_layers_that_nothing_stands_on(
    shelf: Shelf, engine: Engine, home: Path, throwaway: list[str]
) -> None:
    ready = await shelf.made(4)
    mine = set(shelf.ours())
    now_s = time.time() + 1

    async def would_go(level: str | None, older_s: float = now_s) -> set[str]:
        gone = await prune(engine, home, level, older_s, dry_run=True)
        return {one.name for one in gone} & mine

    repositories = {tag for tag in mine if "/repository:" in tag}
    assert await would_go(None) == set()
    assert await would_go("instance") == {ready.instance.tag}
    assert await would_go("instance", older_s=now_s - 3600) == set()
    all_of_it = {ready.instance.tag, ready.instance.environment} | repositories
    assert all_of_it <= await would_go("repository")
    assert not any("/" not in tag for tag in await would_go("repository")), "a base image"
    await engine.remove_image(ready.instance.tag)
    unused = await would_go(None)
    assert repositories | {ready.instance.environment} <= unused
    assert all([await engine.image(tag) for tag in unused]), "a dry run removed something"
