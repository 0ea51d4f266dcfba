"""The containers that the channel suite runs in, one for each implementation; repositories."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from tests.unit.conftest import new_repository, no_git_config  # noqa: F401 - fixtures
from tools.workspace.channels.channel import Channel
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.start import running

IMPLEMENTATIONS: dict[str, Callable[[ContainerSpec], ContainerSpec]] = {
    "exec": lambda spec: replace(spec, init=""),
    "init": lambda spec: spec,
}


@pytest.fixture(params=IMPLEMENTATIONS)
async def container(
    request: pytest.FixtureRequest, engine: Engine, container_spec: ContainerSpec
) -> AsyncIterator[Container]:
    """A running container whose channel is the one under test."""
    async with running(engine, IMPLEMENTATIONS[request.param](container_spec)) as container:
        yield container


@pytest.fixture
def channel(container: Container) -> Channel:
    """Its channel."""
    return container


@pytest.fixture
def is_plain(container: Container) -> bool:
    """Whether it is the plain channel, of which less is promised."""
    return not container.spec.init
