"""The layers a workspace starts from, as they really come out."""

import asyncio
import io
import time
from pathlib import Path

import pytest

from agent_runner.config import RunConfig
from agent_runner.observer import Observer
from agent_runner.prepare import Prepared, prepare
from agent_runner.stages import Stages
from tests.docker.conftest import AS_OF, PlanOf
from tests.unit.conftest import MakeRepository
from tools.workspace.build.builder import Builder
from tools.workspace.container import ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.layers.base_image import Base, build_base
from tools.workspace.layers.instance import build_instance
from tools.workspace.repository.git import git
from tools.workspace.spec import LINK, PROJECT, VENV, WorkspaceSpec
from tools.workspace.start import running
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker

# No `.gitignore`, and a file that the installation writes into the tree.
SETUP = """\
from pathlib import Path
from setuptools import setup
Path("own_version.py").write_text("version = 1\\n")
setup(name="own", version="1", py_modules=["own"])
"""
OWN = {
    "setup.py": SETUP,
    "own.py": "def answer():\n    return 42\n",
    "test_own.py": "import own\n\ndef test_answer():\n    assert own.answer() == 42\n",
}


OUTSIDE = "/usr/local/bin:/usr/bin:/bin"


async def out(workspace: Workspace, *argv: str, ok: bool = True) -> str:
    done = await workspace.run(*argv)
    assert done.ok is ok, done.output
    return done.stdout.decode().strip()


async def test_base_image_that_is_there_is_not_built_again(builder: Builder, base: Base) -> None:
    started = time.monotonic()
    assert await build_base(builder, base.python) == base
    assert time.monotonic() - started < 2


async def test_seed_is_found_again_without_building(
    engine: Engine, prepared: Prepared, home: Path, run_id: str
) -> None:
    said = io.StringIO()
    again = await prepare(
        engine, RunConfig(), prepared.located, run=run_id, home=home,
        stages=Stages(time.monotonic()), observer=Observer(quiet=True, log=said),
    )  # fmt: skip
    assert not again.instance.built
    assert (again.instance.key, again.instance.image.id) == (
        prepared.instance.key,
        prepared.instance.image.id,
    )
    assert said.getvalue() == ""


async def test_project_is_where_the_agent_is_told(workspace: Workspace) -> None:
    assert await out(workspace, "readlink", "-f", LINK) == PROJECT
    assert await out(workspace, "git", "-C", LINK, "rev-parse", "HEAD") == workspace.spec.commit


async def test_environment_does_not_see_the_base_images_packages(workspace: Workspace) -> None:
    script = "import importlib.util as u; print(u.find_spec('pandas') is not None)"
    assert (
        await out(workspace, "env", "-u", "VIRTUAL_ENV", f"PATH={OUTSIDE}", "python3", "-c", script)
        == "True"
    )
    assert await out(workspace, f"{VENV}/bin/python", "-c", script) == "False"
    paths = await out(workspace, f"{VENV}/bin/python", "-c", "import sys; print(*sys.path)")
    assert [path for path in paths.split() if path.endswith("-packages")] == [
        f"{VENV}/lib/python{await _minor(workspace)}/site-packages"
    ]


async def _minor(workspace: Workspace) -> str:
    return await out(workspace, "python", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")


async def test_project_is_installed_and_its_tree_clean(workspace: Workspace) -> None:
    script = "import spanset; print(spanset.__file__)"
    imported = await workspace.run("python", "-c", script, cwd="/")
    assert imported.stdout.decode() == f"{PROJECT}/spanset/__init__.py\n"
    assert await out(workspace, "git", "status", "--porcelain") == ""


async def test_history_ends_at_the_base(workspace: Workspace, prepared: Prepared) -> None:
    commit, mirror = prepared.commit, prepared.mirror.path
    there = await out(workspace, "git", "log", "--all", "--format=%H")
    expected = await git("rev-list", commit, cwd=mirror)
    assert sorted(there.split()) == sorted(expected.decode().split())
    assert there.split()[0] == commit


async def test_later_commits_tags_and_branches_are_absent(
    workspace: Workspace, prepared: Prepared
) -> None:
    commit, mirror = prepared.commit, prepared.mirror.path
    later = (await git("rev-list", "--all", f"^{commit}", cwd=mirror)).decode().split()
    assert len(later) >= 4, "the seed's repository goes on after the base"
    for name in later:
        await out(workspace, "git", "cat-file", "-e", name, ok=False)
    all_tags = (await git("tag", cwd=mirror)).decode().split()
    earlier = (await git("tag", "--merged", commit, cwd=mirror)).decode().split()
    assert set(earlier) < set(all_tags)
    assert earlier
    assert (await out(workspace, "git", "tag")).split() == earlier
    assert (await out(workspace, "git", "branch", "-a", "--format=%(refname)")).split() == [
        "refs/heads/main"
    ]
    assert await out(workspace, "git", "remote") == ""
    logged = await out(workspace, "git", "reflog", "--all", "--format=%H")
    assert set(logged.split()) <= {commit}


async def test_nothing_of_the_host_is_inside(
    workspace: Workspace, engine: Engine, prepared: Prepared, home: Path
) -> None:
    for path in (str(home), str(prepared.mirror.path), str(Path(prepared.mirror.source).parent)):
        found = await workspace.run(
            "grep", "-rIlF", "--", path, "/testbed", "/opt", "/workspace", "/etc", "/root", "/tmp"
        )
        assert found.exit_code == 1, found.output
    assert await out(workspace, "find", "/build", "/tmp", "-mindepth", "1") == ""
    find = "find ~/.cache /tmp /var/tmp /build -name '*.whl' -o -name '*.msgpack'"
    wheels = await workspace.shell(find, timeout_s=60)
    assert wheels.stdout == b""
    mounts = await out(workspace, "cat", "/proc/self/mounts")
    assert str(home) not in mounts


async def test_image_keeps_no_setting_of_the_host(engine: Engine, prepared: Prepared) -> None:
    shown = await engine.docker.images.inspect(prepared.instance.tag)
    assert [line.partition("=")[0] for line in shown["Config"]["Env"]] == ["PATH"]


async def test_two_builds_at_once_make_one_layer(
    builder: Builder, base: Base, plan_of: PlanOf, new_repository: MakeRepository,
    throwaway: list[str], container_spec: ContainerSpec,
) -> None:  # fmt: skip
    repository = new_repository("own")
    repository.commit(OWN)
    mirror, commit, environment = await plan_of(repository.path)
    async with asyncio.TaskGroup() as group:
        builds = [
            group.create_task(build_instance(builder, base.image, environment, mirror, commit))
            for _ in range(2)
        ]
    first, second = (build.result() for build in builds)
    throwaway += [first.tag, first.environment]
    assert sorted([first.built, second.built]) == [False, True]
    assert (first.tag, first.image.id) == (second.tag, second.image.id)

    await builder.engine.remove_image(first.tag)
    again = await build_instance(builder, base.image, environment, mirror, commit)
    assert again.built
    assert (again.tag, again.key) == (first.tag, first.key)

    spec = ContainerSpec(again.image.id, container_spec.labels)
    async with running(builder.engine, spec) as container:
        left = await container.check("cat", "own_version.py", cwd=PROJECT)
        assert left == b"version = 1\n"
        status = await container.check("git", "status", "--porcelain", cwd=PROJECT)
        assert status == b""
        own = Workspace(container, WorkspaceSpec("own", "", commit, AS_OF), builder.engine)
        assert await own.collect() == b""
        await container.check(f"{VENV}/bin/python", "-m", "pytest", "-q", cwd=PROJECT)
