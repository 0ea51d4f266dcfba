"""What tests with a real engine share; those without ask for none of it."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from agent_runner.prepare import Prepared
    from agent_runner.task import Located
    from tools.workspace.build.builder import Builder
    from tools.workspace.container import Container, ContainerSpec
    from tools.workspace.engine import Engine
    from tools.workspace.layers.base_image import Base
    from tools.workspace.leftovers import Labelled
    from tools.workspace.workspace import Workspace

SEED = "spanset__merge-nested"


def pytest_collection() -> None:
    """Only where tests are run: who hands them out to others need not wait for hypothesis."""
    from hypothesis import settings

    # All unit tests together take less than ten seconds; the contract suites ask for more.
    settings.register_profile("quick", max_examples=40, deadline=None)
    settings.load_profile("quick")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test that may start containers is one of those after which nothing may be left."""
    for item in items:
        if isinstance(item, pytest.Function) and any(
            item.get_closest_marker(name) for name in ("docker", "e2e")
        ):
            item.fixturenames.insert(0, "nothing_left")


@pytest.fixture(scope="session")
def run_id() -> str:
    """The run on the labels of whatever this session makes itself."""
    return f"test-{secrets.token_hex(6)}"


@pytest.fixture(scope="session")
def nothing_left(run_id: str) -> Iterator[None]:
    """Fails the session that leaves a container: one of its own, or of a process it started.

    The layers it made go with it; those that were there before stay, and so does the base image.
    """
    before = {row.id for row in asyncio.run(_containers())}
    layers = asyncio.run(_layers())
    with _alone() as is_alone:
        yield
        if is_alone():
            asyncio.run(_remove_layers(but=layers))
    left = [
        row
        for row in asyncio.run(_containers())
        if row.run == run_id or (row.id not in before and (row.leftover or row.kept))
    ]
    assert not left, f"containers were left behind: {left}"


@contextmanager
def _alone() -> Iterator[Callable[[], bool]]:
    """Says whether no other session runs on this machine, whose layers might be taken for ours."""
    import fcntl
    import tempfile
    from pathlib import Path

    with (Path(tempfile.gettempdir()) / "agent_runner-tests.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)

        def is_alone() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        yield is_alone


async def _containers() -> "list[Labelled]":
    from tools.workspace.engine import Engine
    from tools.workspace.leftovers import containers

    async with Engine() as engine:
        return await containers(engine)


async def _layers() -> set[str]:
    """The tags of the layers there are, but for the base images."""
    from tools.workspace import labels
    from tools.workspace.engine import Engine

    async with Engine() as engine:
        found = [
            await engine.images_with(f"{labels.LAYER}={name}")
            for name in ("repository", "environment", "instance")
        ]
    return {tag for images in found for image in images for tag in image.tags}


async def _remove_layers(but: set[str]) -> None:
    from tools.workspace.engine import Engine

    made = await _layers() - but
    async with Engine() as engine:
        for tag in made:  # what stands on a layer keeps its content; a name alone is taken away
            if "<none>" not in tag:
                await engine.remove_image(tag)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> "Path":
    """A state directory of its own, over what the user's keeps of packages and init: that is safe
    to share."""
    from agent_runner import places

    home = tmp_path_factory.mktemp("home")
    for name in ("uv", "init"):
        kept = places.home() / name
        kept.mkdir(parents=True, exist_ok=True)
        (home / name).symlink_to(kept)
    return home


@pytest.fixture(scope="session")
def base(home: "Path", run_id: str, nothing_left: None) -> "Base":
    """The base image, built where it is missing."""
    from agent_runner.config import RunConfig
    from agent_runner.environments.python import FALLBACK
    from tools.workspace.layers.base_image import build_base

    async def build() -> "Base":
        async with _builder(home, run_id) as builder:
            return await build_base(builder, RunConfig().images.python or FALLBACK)

    return asyncio.run(build())


@pytest.fixture(scope="session")
def seed() -> "Located":
    """A seed task with visible tests, and where its repository is."""
    from agent_runner.benchmarks.seeds import tasks_file
    from agent_runner.task import find_task, locate

    return locate(find_task(tasks_file(), SEED), tasks_file().parent)


@pytest.fixture(scope="session")
def prepared(home: "Path", run_id: str, base: "Base", seed: "Located") -> "Prepared":
    """The seed's mirror and layers; its builder's engine is closed, see `builder`."""
    from agent_runner.config import RunConfig
    from agent_runner.observer import Observer
    from agent_runner.prepare import prepare
    from agent_runner.stages import Stages

    async def make() -> "Prepared":
        async with _builder(home, run_id) as builder:
            return await prepare(
                builder.engine, RunConfig(), seed, run=run_id, home=home,
                stages=Stages(time.monotonic()), observer=Observer(quiet=True),
            )  # fmt: skip

    return asyncio.run(make())


@asynccontextmanager
async def _builder(home: "Path", run_id: str) -> "AsyncIterator[Builder]":
    import os

    from tools.workspace.build.builder import Builder
    from tools.workspace.engine import Engine

    async with Engine() as engine:
        yield Builder(engine, run_id, home, dict(os.environ), lambda text: None)


@pytest.fixture
async def builder(home: "Path", run_id: str) -> "AsyncIterator[Builder]":
    """Builds layers for the test, over the test's own connection to the engine."""
    async with _builder(home, run_id) as builder:
        yield builder


@pytest.fixture
def engine(builder: "Builder") -> "Engine":
    """The test's connection to the engine."""
    return builder.engine


@pytest.fixture(scope="session")
def init(base: "Base", home: "Path", run_id: str) -> str:
    """The volume with the init of containers."""
    from tools.workspace.layers.init_volume import init_volume

    async def fill() -> str:
        async with _builder(home, run_id) as builder:
            return await init_volume(builder, base.image)

    return asyncio.run(fill())


@pytest.fixture
def container_spec(base: "Base", init: str, run_id: str) -> "ContainerSpec":
    """A bare container of the base image, as hardened as an agent's."""
    from tools.workspace.container import ContainerSpec
    from tools.workspace.labels import run_labels

    labels = run_labels(run_id, "test", lease_s=600, renewed=True)
    return ContainerSpec(base.image.id, labels, init=init)


@pytest.fixture
async def container(
    engine: "Engine", container_spec: "ContainerSpec"
) -> "AsyncIterator[Container]":
    """A running one."""
    from tools.workspace.start import running

    async with running(engine, container_spec) as container:
        yield container


@pytest.fixture
async def workspace(
    engine: "Engine", prepared: "Prepared", container_spec: "ContainerSpec"
) -> "AsyncIterator[Workspace]":
    """The seed's workspace, as an agent gets it."""
    from tools.workspace.spec import WorkspaceSpec
    from tools.workspace.start import running
    from tools.workspace.workspace import Workspace

    task = prepared.located.task
    spec = WorkspaceSpec(
        repo=task.repo,
        ref=task.ref,
        commit=prepared.commit,
        as_of=prepared.planned.environment.as_of,
        project=prepared.planned.project,
        pytest_k=task.pytest_k,
        tests_s=60,
        install_s=60,
    )
    made = replace(container_spec, image=prepared.instance.image.id)
    async with running(engine, made) as container:
        yield Workspace(container, spec, engine)
