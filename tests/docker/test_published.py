"""A published image becomes an instance for an agent: no future in it, nothing else changed."""

import io
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from agent_runner.config import RunConfig
from agent_runner.observer import Observer
from agent_runner.prepare import Prepared, prepare
from agent_runner.stages import Stages
from agent_runner.task import Located, Official, Task
from tests.docker.conftest import AS_OF
from tests.docker.registry import registry
from tests.unit.conftest import MakeRepository
from tools.workspace.build.builder import Builder
from tools.workspace.container import ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.isolation import host_addresses, measure
from tools.workspace.layers import published as derived
from tools.workspace.layers.base_image import Base
from tools.workspace.spec import PROJECT, VENV, WorkspaceSpec
from tools.workspace.start import running
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker
CONDA = "/opt/miniconda3/envs/testbed"
OWN = {"own.py": "def answer():\n    return 41\n", "tox.ini": "[testenv]\ncommands = pytest\n",
       "run.sh": "#!/bin/sh\n"}  # fmt: skip
# As SWE-bench's images come: an environment of conda's, edits of tracked files, files of builds,
# modes that are wrong, and more history than the base has.
MAKE = f"""
set -e
python3 -m venv --without-pip {CONDA}
sed -i 's/pytest/pytest -rA/' tox.ini
mkdir own.egg-info && echo built > own.egg-info/PKG-INFO
chmod 755 own.py
"""


@dataclass(frozen=True)
class Repo:
    """A repository whose image is published, and goes on after the base."""

    path: Path
    base: str
    later: str
    name: str


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture
async def published(
    builder: Builder, base: Base, address: str, new_repository: MakeRepository,
    throwaway: list[str],
) -> Repo:  # fmt: skip
    repository = new_repository("own")
    repository.commit({"own.py": "def answer():\n    return 0\n"})
    commit = repository.commit(OWN)
    repository.git("update-index", "--chmod=+x", "run.sh")
    repository.git("commit", "-q", "--amend", "--no-edit")
    commit = repository.git("rev-parse", "HEAD")
    later = repository.commit({"own.py": "def answer():\n    return 42\n"}, "the fix")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(repository.path, arcname="testbed", filter=_as_root)
    name = f"{address}/sweb.eval.x86_64.own:latest"
    async with builder.container(base.image.id) as made:
        await made.container.put_tar("/", packed.getvalue())
        await made.step("at the base", "git", "-C", PROJECT, "checkout", "-q", "-f", commit)
        await made.step("as published", "/bin/sh", "-c", MAKE, cwd=PROJECT)
        await made.container.commit(name, {"agent_runner.layer": ""})
    async for _ in builder.engine.docker.images.push(name, stream=True):
        pass
    await builder.engine.remove_image(name)
    return Repo(repository.path, commit, later, name)


def _as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    return entry


async def prepared_from(
    published: Repo, engine: Engine, home: Path, run_id: str, said: io.StringIO, name: str = ""
) -> Prepared:
    task = Task(task_id="own", repo=str(published.path), ref=published.base, created_at=AS_OF)
    official = Official("own/own", "1", name or published.name, "", "", "")
    config = RunConfig.model_validate({"images": {"prefer": "published"}, "limits": {"pull_s": 60}})
    return await prepare(
        engine, config, Located(task, str(published.path), official), run=run_id, home=home,
        stages=Stages(time.monotonic()), observer=Observer(stream=said),
    )  # fmt: skip


async def test_a_published_image_is_made_safe_and_works_like_ours(
    published: Repo, engine: Engine, home: Path, run_id: str, container_spec: ContainerSpec,
    throwaway: list[str],
) -> None:  # fmt: skip
    ready = await prepared_from(published, engine, home, run_id, io.StringIO())
    repository = published.name.rpartition(":")[0]
    throwaway += [ready.instance.tag, ready.instance.digest]
    assert ready.instance.built
    assert ready.instance.digest.startswith(f"{repository}@sha256:")
    assert ready.instance.environment == ready.instance.tag
    assert ready.head != ready.commit == published.base

    async with running(engine, replace(container_spec, image=ready.instance.image.id)) as container:
        isolation = await measure(
            container, ready.mirror, ready.commit, ready.instance.objects_sha256,
            project="own", hidden_blobs={}, hosts=await host_addresses(engine),
        )  # fmt: skip
        assert (isolation.commits_after_base, isolation.unreachable_objects) == (0, 0)
        assert isolation.foreign_git_stores == ()
        spec = WorkspaceSpec("own", "", ready.head, AS_OF)
        workspace = Workspace(container, spec, engine)
        log = await workspace.run("git", "log", "--all", "--format=%H", "--reverse")
        assert published.later not in log.stdout.decode()
        assert log.stdout.decode().split()[-2:] == [published.base, ready.head]
        assert not (await workspace.run("git", "cat-file", "-e", published.later)).ok
        assert (await workspace.run("git", "status", "--porcelain")).stdout == b""
        changed = await workspace.run("git", "diff", "--name-only", published.base, "HEAD")
        assert changed.stdout == b"tox.ini\n", "a wrong mode counts for a change"
        assert await workspace.collect() == b""
        assert (
            await container.check("cat", "tox.ini", cwd=PROJECT)
            == OWN["tox.ini"].replace("pytest", "pytest -rA").encode()
        )
        where = await workspace.run("python", "-c", "import sys; print(sys.prefix)", cwd="/")
        assert where.stdout.decode().strip() in {CONDA, VENV}
        assert (await workspace.run("readlink", "-f", VENV)).stdout.decode().strip() == CONDA
        assert (await workspace.run("uv", "--version")).ok
        assert await container.check("cat", "own.egg-info/PKG-INFO", cwd=PROJECT) == b"built\n"


async def test_what_was_derived_is_found_again_without_the_registry(
    published: Repo, engine: Engine, home: Path, run_id: str, throwaway: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    first = await prepared_from(published, engine, home, run_id, io.StringIO())
    throwaway += [first.instance.tag, first.instance.digest]
    monkeypatch.setattr(derived, "resolve", _nobody_asks)
    again = await prepared_from(published, engine, home, run_id, io.StringIO())
    assert not again.instance.built
    assert again.instance.tag == first.instance.tag


async def _nobody_asks(*_: object, **__: object) -> None:
    raise AssertionError("the registry was asked")


async def test_where_none_is_published_one_is_built_and_that_is_said(
    published: Repo, engine: Engine, home: Path, run_id: str, throwaway: list[str]
) -> None:
    said = io.StringIO()
    name = published.name.replace("own:latest", "none:latest")
    ready = await prepared_from(published, engine, home, run_id, said, name)
    throwaway += [ready.instance.tag, ready.instance.environment]
    assert ready.instance.digest == ready.instance.image.id
    assert f"not the published image: asking the registry for {name}" in said.getvalue()
    assert "building one instead" in said.getvalue()
