"""The project as an environment holds it: editable, whatever builds it."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.docker.conftest import PlanOf
from tests.unit.conftest import MakeRepository
from tools.workspace.build.build_container import BuildContainer
from tools.workspace.build.builder import Builder
from tools.workspace.layers import instance as layers
from tools.workspace.layers.base_image import Base
from tools.workspace.packages.editable import Backend, install_editable

pytestmark = pytest.mark.docker

PYTHON = "/opt/venv/bin/python"
LEGACY = {
    "setup.py": "import beside\nfrom setuptools import setup\n"
    "setup(name='own', version='1.5', packages=['own'], package_dir={'': 'src'})\n",
    "beside.py": "",
    "src/own/__init__.py": "",
}
OWN_BACKEND = {
    "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'hooks:one.two'\n"
    "backend-path = ['tools']\n[project]\nname = 'own'\nversion = '1.5'\n"
    "[tool.setuptools]\npy-modules = ['own']\n",
    "tools/hooks.py": "from setuptools import build_meta\n\n\nclass one:\n    two = build_meta\n",
    "own.py": "",
}


async def said(made: BuildContainer, *argv: str) -> str:
    return (await made.step("looking", *argv)).stdout.decode().strip()


async def is_editable(made: BuildContainer, *tool: str) -> bool:
    listed = json.loads(await said(made, *tool, "--editable", "--format", "json"))
    return any(
        row["name"] == "own" and row.get("editable_project_location") == "/testbed"
        for row in listed
    )


@pytest.mark.parametrize("files", [LEGACY, OWN_BACKEND], ids=["legacy", "own backend"])
async def test_one_call_installs_what_uv_and_pip_call_editable(
    files: Mapping[str, str], builder: Builder, new_repository: MakeRepository, plan_of: PlanOf,
    throwaway: list[str], base: Base, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    done: list[bool] = []

    async def install(made: BuildContainer, backend: Backend) -> bool:
        done.append(await install_editable(made, backend))
        return done[-1]

    monkeypatch.setattr("tools.workspace.packages.install.install_editable", install)
    repository = new_repository("own")
    repository.commit(files)
    mirror, commit, plan = await plan_of(repository.path)
    instance = await layers.build_instance(builder, base.image, plan, mirror, commit)
    throwaway += [instance.tag, instance.environment]
    assert done == [True]
    async with builder.container(instance.image.id) as made:
        assert await is_editable(made, "uv", "pip", "list", "--python", PYTHON)
        assert await is_editable(made, PYTHON, "-m", "pip", "list")
        where = await said(made, PYTHON, "-c", "import own; print(own.__file__)")
        assert where.startswith("/testbed/")
        await made.step("removing", PYTHON, "-m", "pip", "uninstall", "-qy", "own")
        assert await said(made, "find", "/opt/venv", "-iname", "*own*1.5*") == ""


async def test_a_backend_that_cannot_is_told(builder: Builder, base: Base) -> None:
    async with builder.container(base.image.id) as made:
        await made.step("making", "sh", "-c", "mkdir -p /testbed && uv venv -q /opt/venv")
        assert not await install_editable(made, Backend("absent.hooks"))


async def test_what_has_to_be_fetched_for_the_installation_is(
    builder: Builder, new_repository: MakeRepository, plan_of: PlanOf, throwaway: list[str],
    base: Base,
) -> None:  # fmt: skip
    repository = new_repository("fetching")
    backend = "[build-system]\nrequires = ['flit_core<4']\nbuild-backend = 'flit_core.buildapi'\n"
    project = "[project]\nname = 'own'\nversion = '1.5'\ndescription = 'own'\n"
    repository.commit({"pyproject.toml": backend + project, "own.py": ""})
    mirror, commit, plan = await plan_of(repository.path)
    bare = replace(plan, build_requires=())  # so that the environment cannot build it
    instance = await layers.build_instance(builder, base.image, bare, mirror, commit)
    throwaway += [instance.tag, instance.environment]
    async with builder.container(instance.image.id) as made:
        assert await is_editable(made, "uv", "pip", "list", "--python", PYTHON)
        assert "flit" not in await said(made, "uv", "pip", "freeze", "--python", PYTHON)
