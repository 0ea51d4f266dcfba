"""The base image where no registry answers, made again here from what it is made of."""

import pytest

from tools.workspace import labels as label
from tools.workspace.build.build_container import BuildContainer
from tools.workspace.build.builder import Builder
from tools.workspace.engine import Engine
from tools.workspace.layers.base_image import Base
from tools.workspace.layers.debian_base import debian_base

pytestmark = pytest.mark.docker
NOBODYS = "3.1"  # no machine has it, so Debian's own comes in its place
LIBRARIES = "import bz2, ctypes, lzma, readline, sqlite3, ssl, pip, pytest, numpy, pandas"


async def said(made: BuildContainer, *argv: str) -> str:
    done = await made.step("looking", *argv)
    return done.stdout.decode().strip()


async def test_the_images_of_all_pythons_stand_on_the_same_packages(
    builder: Builder, engine: Engine, base: Base
) -> None:
    below = []
    for python in {base.python, "3.9", "3.12"}:
        async with debian_base(builder, python) as (made, inside):
            assert (await said(made, "python", "--version")).startswith(f"Python {inside}.")
            assert await said(made, "python", "-c", LIBRARIES) == ""
            assert (await said(made, "pytest", "--version")).startswith("pytest ")
            assert await said(made, "readlink", "-f", "/workspace/project") == "/testbed"
            below.append(made.container.spec.image)
    assert len(set(below)) == 1
    system = await engine.image(below[0])
    assert system is not None
    assert system.labels[label.LAYER] == "system"


async def test_a_python_that_nobody_has_here_becomes_debians_own(
    builder: Builder, engine: Engine, throwaway: list[str]
) -> None:
    async with debian_base(builder, NOBODYS) as (made, inside):
        system = await engine.image(made.container.spec.image)
        assert system is not None
        throwaway += system.tags
        assert (
            await said(made, "readlink", "-f", "/usr/local/bin/python")
            == f"/usr/bin/python{inside}"
        )
        assert await said(made, "python", "-c", LIBRARIES) == ""
        assert await said(made, "bash", "-c", "command -v pip pytest") == (
            "/usr/local/bin/pip\n/usr/local/bin/pytest"
        )
