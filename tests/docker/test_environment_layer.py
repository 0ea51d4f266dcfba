"""Environment layers as they really come out: shared, made on one another, and enough offline."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docker.conftest import PlanOf
from tests.unit.conftest import MakeRepository
from tools.workspace.build.builder import Builder
from tools.workspace.channels.channel import Command
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Image
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.layers.base_image import Base
from tools.workspace.layers.environment_layer import (
    environment_layer,
    known_resolution,
    tools_layer,
)
from tools.workspace.layers.instance import build_instance
from tools.workspace.packages.environment import EnvironmentPlan
from tools.workspace.packages.ground import CHAIN, PINS
from tools.workspace.packages.pins import parse_pins
from tools.workspace.repository.mirrors import Mirror
from tools.workspace.spec import VENV
from tools.workspace.start import running

pytestmark = pytest.mark.docker

SETUP = """\
from setuptools import setup
setup(name="own", version="1", py_modules=["own"], install_requires=["six"],
      extras_require={"test": ["pytest"]})
"""
OWN = {
    "setup.py": SETUP,
    "own.py": "",
    "requirements-test.txt": "git+https://host/x#egg=iniconfig\n",
}
SHARED = ("iniconfig==2.0.0", "six==1.16.0", "toml==0.10.2", "idna==3.7", "zipp==3.18.0")
FREEZE = ("uv", "pip", "freeze", "--python", f"{VENV}/bin/python")
# As the official scripts begin, and as some of them install.
SCRIPT = """\
set -uxo pipefail
source /opt/miniconda3/bin/activate
conda activate testbed
cd /testbed
source /opt/miniconda3/bin/activate
conda activate testbed
{line} || exit 3
test "$GREETING" = "good day" || exit 4
python -c 'import sys; assert sys.prefix == "/opt/venv"' && pytest --version
"""


@pytest.fixture
async def own(
    plan_of: PlanOf, new_repository: MakeRepository
) -> tuple[Mirror, str, EnvironmentPlan]:
    repository = new_repository("own")
    repository.commit(OWN)
    return await plan_of(repository.path)


@asynccontextmanager
async def inside(builder: Builder, image: Image, spec: ContainerSpec) -> AsyncIterator[Container]:
    """A container without network."""
    made = ContainerSpec(image.id, spec.labels)
    async with running(builder.engine, made) as container:
        yield container


async def test_plans_share_what_they_come_to_and_build_on_the_nearest(
    builder: Builder, base: Base, own: tuple[Mirror, str, EnvironmentPlan],
    container_spec: ContainerSpec, throwaway: list[str],
) -> None:  # fmt: skip
    mirror, commit, found = own
    plan = replace(
        found, project="", metadata_file="", stated=None, requirement_files=(), extras=(),
        groups=(), build_requires=(), requirements=("packaging==24.0", "pluggy==1.5.0", *SHARED),
    )  # fmt: skip
    first = await environment_layer(builder, base.image, plan, mirror, commit)
    throwaway += first.tags
    later = replace(plan, as_of="2024-06-02T00:00:00Z", reasons=("another date",))
    assert (await environment_layer(builder, base.image, later, mirror, commit)).id == first.id

    changed = replace(plan, requirements=("packaging==23.2", *SHARED))
    second = await environment_layer(builder, base.image, changed, mirror, commit)
    throwaway[:0] = second.tags
    assert int(second.labels[CHAIN]) == int(first.labels[CHAIN]) + 1
    async with inside(builder, second, container_spec) as container:
        held = parse_pins((await container.check(*FREEZE)).decode())
        left = await container.check("ls", f"{VENV}/lib/python{base.python}/site-packages")
    assert held == parse_pins(second.labels[PINS])
    assert held["packaging"] == "23.2"
    assert {"pluggy", "packaging-24.0.dist-info"} & set(left.decode().split()) == set()
    assert set(held) == {"packaging", *parse_pins(" ".join(SHARED)), "pip", "setuptools", "wheel"}


async def test_tools_are_made_once_for_all_layers_above(
    builder: Builder, base: Base, own: tuple[Mirror, str, EnvironmentPlan]
) -> None:
    tools = await tools_layer(builder, base.image, own[2])
    assert (await tools_layer(builder, base.image, own[2])).id == tools.id
    assert (await tools_layer(builder, tools, own[2])).id == tools.id


async def test_the_official_script_installs_without_a_network(
    builder: Builder, base: Base, own: tuple[Mirror, str, EnvironmentPlan],
    container_spec: ContainerSpec, throwaway: list[str],
) -> None:  # fmt: skip
    mirror, commit, found = own
    plan = replace(
        found, extras=("test",), variables=("GREETING=good day",),
        requirement_files=("requirements-test.txt",),
        files={**found.files, "requirements-test.txt": OWN["requirements-test.txt"]},
        optional=("no-such-thing-as-this-anywhere",),
    )  # fmt: skip
    made = await build_instance(builder, base.image, plan, mirror, commit)
    throwaway += [made.tag, made.environment]
    async with inside(builder, made.image, container_spec) as container:
        for line in ("python -m pip install -e '.[test]'", "python -m pip install .[test]"):
            script = SCRIPT.format(line=line)
            done = await container.run(Command(("/bin/bash", "-c", script), timeout_s=120))
            assert done.ok, done.output.decode()
        config = await container.check("cat", f"{VENV}/pip.conf")
        assert b"://" not in config
    known = known_resolution(builder.home, builder.engine.architecture, plan)
    assert known is not None
    assert any("no-such-thing-as-this-anywhere: left out" in note for note in known.skipped)
    assert any("iniconfig is taken from the index" in note for note in known.skipped)


async def test_what_cannot_be_resolved_is_said_with_the_requirement(
    builder: Builder, base: Base, own: tuple[Mirror, str, EnvironmentPlan]
) -> None:
    mirror, commit, found = own
    plan = replace(found, requirements=("iniconfig<1", "iniconfig>1"))
    with pytest.raises(InfraFault) as caught:
        await environment_layer(builder, base.image, plan, mirror, commit)
    assert caught.value.kind is FaultKind.IMAGE_UNAVAILABLE
    assert "iniconfig" in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 700
    assert known_resolution(builder.home, builder.engine.architecture, plan) is None


async def test_an_index_that_does_not_answer_is_the_worlds_fault(
    builder: Builder, base: Base, own: tuple[Mirror, str, EnvironmentPlan]
) -> None:
    mirror, commit, found = own
    # Nothing of this one is in the package cache.
    plan = replace(found, requirements=("iniconfig==0.1",), as_of="2021-01-01T00:00:00Z")
    await tools_layer(builder, base.image, plan)
    nowhere = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    blind = replace(builder, environ={**builder.environ, **nowhere})
    with pytest.raises(InfraFault) as caught:
        await environment_layer(blind, base.image, plan, mirror, commit)
    assert caught.value.kind is FaultKind.INDEX_UNREACHABLE
    assert caught.value.retryable


SETTLED = ("2024-01-01T00:00:00Z",)


def bare(
    found: EnvironmentPlan, *requirements: str, optional: tuple[str, ...] = ()
) -> EnvironmentPlan:
    """A plan of these alone."""
    return replace(
        found, project="", metadata_file="", stated=None, requirement_files=(), extras=(),
        groups=(), build_requires=(), requirements=requirements, optional=optional,
        settled_as_of=SETTLED,
    )  # fmt: skip


async def test_releases_are_those_of_the_settled_date_unless_newer_ones_are_asked_for(
    builder: Builder, base: Base, own: tuple[Mirror, str, EnvironmentPlan], throwaway: list[str]
) -> None:
    mirror, commit, found = own

    async def layer(plan: EnvironmentPlan) -> Image:
        made = await environment_layer(builder, base.image, plan, mirror, commit)
        throwaway[:0] = made.tags
        return made

    plan = bare(found, "packaging", "pluggy")
    first = await layer(plan)
    pins = parse_pins(first.labels[PINS])
    assert (pins["packaging"], pins["pluggy"]) == ("23.2", "1.3.0")
    assert (await layer(replace(plan, as_of="2024-04-02T00:00:00Z"))).id == first.id
    asking = bare(found, "packaging>=24", "pluggy")
    newer = parse_pins((await layer(asking)).labels[PINS])
    assert (newer["packaging"], newer["pluggy"]) == ("24.0", "1.3.0")
    known = known_resolution(builder.home, builder.engine.architecture, asking)
    assert known is not None
    assert known.as_of == found.as_of
    early = replace(asking, as_of="2024-02-01T00:00:00Z")
    assert known_resolution(builder.home, builder.engine.architecture, early) is None
    with pytest.raises(InfraFault, match="packaging"):
        await layer(early)


# Source distributions alone, of a module in C.
COMPILED = "python-levenshtein==0.12.2"


async def test_what_cannot_be_done_without_is_compiled_where_no_layer_keeps_the_compiler(
    builder: Builder, base: Base, own: tuple[Mirror, str, EnvironmentPlan],
    container_spec: ContainerSpec, throwaway: list[str],
) -> None:  # fmt: skip
    mirror, commit, found = own
    made = await environment_layer(builder, base.image, bare(found, COMPILED), mirror, commit)
    throwaway += made.tags
    async with inside(builder, made, container_spec) as container:
        script = "import Levenshtein; print(Levenshtein.distance('cat', 'coat'))"
        assert await container.check(f"{VENV}/bin/python", "-c", script) == b"1\n"
        compiler = await container.run(Command(("/bin/sh", "-c", "command -v gcc cc g++")))
        assert not compiler.ok, compiler.output


async def test_what_does_not_build_is_left_out_and_not_tried_again(
    builder: Builder, base: Base, own: tuple[Mirror, str, EnvironmentPlan], throwaway: list[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    mirror, commit, found = own
    said: list[str] = []
    told = replace(builder, home=tmp_path / "home", report=said.append)
    notes = []
    for one in ("iniconfig==2.0.0", "toml==0.10.2"):
        plan = bare(found, one, optional=(COMPILED,))
        made = await environment_layer(told, base.image, plan, mirror, commit)
        throwaway[:0] = made.tags
        assert "python-levenshtein" not in parse_pins(made.labels[PINS])
        known = known_resolution(told.home, builder.engine.architecture, plan)
        assert known is not None
        notes.append(known.skipped)
    assert len([text for text in said if text.startswith("without python-levenshtein")]) == 1
    assert notes[0] == notes[1]
    assert "python-levenshtein: left out: " in notes[0][0]


async def test_what_cannot_be_imported_is_left_out(
    builder: Builder, base: Base, own: tuple[Mirror, str, EnvironmentPlan], throwaway: list[str]
) -> None:
    mirror, commit, found = own
    # Bindings of a library that is not there: importing them is a RuntimeError.
    plan = bare(found, "toml==0.10.2", optional=("eccodes==1.4.1", "iniconfig==2.0.0"))
    made = await environment_layer(builder, base.image, plan, mirror, commit)
    throwaway[:0] = made.tags
    pins = parse_pins(made.labels[PINS])
    assert {"toml", "iniconfig"} <= set(pins)
    assert not {"eccodes", "cffi"} & set(pins)
    known = known_resolution(builder.home, builder.engine.architecture, plan)
    assert known is not None
    assert any("eccodes: left out: cannot be imported here" in note for note in known.skipped)
    required = bare(found, "eccodes==1.4.1", optional=("iniconfig==2.0.0",))
    kept = await environment_layer(builder, base.image, required, mirror, commit)
    throwaway[:0] = kept.tags
    assert "eccodes" in parse_pins(kept.labels[PINS]), "what is required stays"
