"""Projects that tell their dependencies only when they are built, by tools that ask git."""

import pytest

from tests.docker.conftest import PlanOf
from tests.unit.conftest import MakeRepository
from tools.workspace.build.builder import Builder
from tools.workspace.layers.base_image import Base
from tools.workspace.layers.environment_layer import environment_layer
from tools.workspace.packages.ground import PINS
from tools.workspace.packages.pins import parse_pins

pytestmark = pytest.mark.docker

# What it requires is computed, and its version comes from git, of which nothing is there then.
SETUP = """\
from setuptools import setup
names = ["".join(["s", "ix"])]
setup(name="own", use_scm_version=True, py_modules=["own"], install_requires=names)
"""
PYPROJECT = """\
[build-system]
requires = ["setuptools", "setuptools_scm"]
build-backend = "setuptools.build_meta"
"""


async def test_a_version_from_git_does_not_keep_the_requirements_from_being_known(
    builder: Builder, base: Base, new_repository: MakeRepository, plan_of: PlanOf,
    throwaway: list[str],
) -> None:  # fmt: skip
    repository = new_repository("own")
    repository.commit({"setup.py": SETUP, "pyproject.toml": PYPROJECT, "own.py": ""})
    mirror, commit, plan = await plan_of(repository.path)
    assert plan.stated is None
    layer = await environment_layer(builder, base.image, plan, mirror, commit)
    throwaway.extend(layer.tags)
    assert {"six", "setuptools-scm"} <= set(parse_pins(layer.labels[PINS]))
