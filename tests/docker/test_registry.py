"""Published images: asked for and pulled from a registry, whatever it does."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.docker.registry import Front, free_port, front, registry, upload
from tools.workspace.engine import Engine
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.layers import registry as registries
from tools.workspace.layers.registry import pull, resolve

pytestmark = pytest.mark.docker
OTHER = {"amd64": "arm64", "arm64": "amd64"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture
async def before(address: str) -> AsyncIterator[Front]:
    async with front(address) as state:
        yield state


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is reported; nobody waits for long."""
    monkeypatch.setattr(registries, "FIRST_WAIT_S", 0.02)
    return []


async def test_an_image_is_pulled_by_its_digest(
    engine: Engine, address: str, said: list[str], throwaway: list[str]
) -> None:
    digest = await upload(address, "good", engine.architecture)
    remote = await resolve(engine, f"{address}/good:latest", said.append, within_s=20)
    assert remote.digest == f"{address}/good@{digest}"
    throwaway.append(remote.digest)
    image = await pull(engine, remote, said.append, within_s=20)
    assert await engine.image(remote.digest) == image
    assert not any(tag.startswith(f"{address}/good:") for tag in image.tags), "no tag was pulled"


async def test_an_image_for_another_machine_is_not_pulled(
    engine: Engine, address: str, said: list[str]
) -> None:
    other = OTHER[engine.architecture]
    await upload(address, "other", other)
    with pytest.raises(InfraFault) as caught:
        await resolve(engine, f"{address}/other", said.append, within_s=20)
    assert caught.value.kind is FaultKind.IMAGE_UNAVAILABLE
    message = caught.value.message
    assert f"linux/{other}, this engine runs linux/{engine.architecture}" in message


async def test_a_missing_image_is_not_asked_for_again(
    engine: Engine, before: Front, said: list[str]
) -> None:
    with pytest.raises(InfraFault) as caught:
        await resolve(engine, f"{before.address}/missing:1", said.append, within_s=20)
    assert caught.value.kind is FaultKind.IMAGE_UNAVAILABLE
    assert not caught.value.retryable
    assert not said, "it was asked again"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_registry_that_is_busy_or_broken_is_asked_again(
    status: int, engine: Engine, address: str, before: Front, said: list[str]
) -> None:
    await upload(address, "busy", engine.architecture)
    before.failures = [status] * 4  # the engine itself asks twice
    remote = await resolve(engine, f"{before.address}/busy", said.append, within_s=20)
    assert remote.digest.startswith(f"{before.address}/busy@sha256:")
    assert len(said) >= 1
    assert not before.failures
    assert all(text.endswith("trying again") for text in said)


async def test_a_pull_that_fails_is_tried_again(
    engine: Engine, address: str, before: Front, said: list[str], throwaway: list[str]
) -> None:
    await upload(address, "flaky", engine.architecture)
    remote = await resolve(engine, f"{before.address}/flaky", said.append, within_s=20)
    throwaway.append(remote.digest)
    before.failures = [500] * 4  # the engine itself may ask twice
    image = await pull(engine, remote, said.append, within_s=20)
    assert image.id.startswith("sha256:")
    assert any(text.endswith("trying again") for text in said)


async def test_a_registry_that_stays_broken_is_given_up(
    engine: Engine, before: Front, said: list[str]
) -> None:
    before.failures = [500] * 50
    with pytest.raises(InfraFault) as caught:
        await resolve(engine, f"{before.address}/x", said.append, within_s=20)
    assert caught.value.kind is FaultKind.IMAGE_UNAVAILABLE
    assert caught.value.retryable
    assert len(said) == registries.TRIES - 1


async def test_a_registry_that_hangs_takes_no_longer_than_the_limit(
    engine: Engine, before: Front, said: list[str]
) -> None:
    before.hangs = True
    began_s = time.monotonic()
    with pytest.raises(InfraFault) as caught:
        await resolve(engine, f"{before.address}/x", said.append, within_s=1)
    assert time.monotonic() - began_s < 3
    assert caught.value.kind is FaultKind.STAGE_TIMEOUT
    assert "limits.pull_s" in caught.value.message


async def test_where_no_registry_is_nothing_is_waited_for_long(
    engine: Engine, said: list[str]
) -> None:
    name = f"127.0.0.1:{free_port()}/x"
    async with asyncio.timeout(10):
        with pytest.raises(InfraFault) as caught:
            await resolve(engine, name, said.append, within_s=20)
    assert caught.value.kind is FaultKind.IMAGE_UNAVAILABLE
