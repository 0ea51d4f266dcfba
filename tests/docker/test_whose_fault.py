"""Pairs that look alike: what the agent did is text, what the world did is a fault."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.commands import sh
from tests.docker.private_engine import PrivateEngine, import_tiny, private_engine, tiny_rootfs
from tools.workspace.build.builder import Builder
from tools.workspace.channels.channel import Limit
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.layers.init_volume import init_volume
from tools.workspace.limits import Limits
from tools.workspace.start import remove, running

pytestmark = pytest.mark.docker

MIB = 1024**2
DISK_MB = 700
LEFT_BYTES = 100 * MIB


@pytest.fixture
def second(tmp_path: Path) -> Iterator[PrivateEngine]:
    """A second engine."""
    with private_engine(tmp_path, DISK_MB) as engine:
        yield engine


@pytest.fixture
async def elsewhere(
    second: PrivateEngine, container: Container, builder: Builder, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Container]:  # fmt: skip
    """A container on an engine whose disk holds 700 MB."""
    rootfs = await tiny_rootfs(container)
    monkeypatch.setenv("DOCKER_HOST", second.host)
    async with Engine() as engine:
        tag = await import_tiny(engine, rootfs, "agent_runner-test/tiny:1", tmp_path)
        image = await engine.image(tag)
        assert image is not None
        volume = await init_volume(replace(builder, engine=engine), image)
        spec: ContainerSpec = replace(
            container.spec, image=tag, init=volume, limits=Limits(disk_bytes=100 * MIB)
        )
        async with running(engine, spec) as other:
            yield other


def fill(engine: PrivateEngine) -> None:
    """Somebody else writes on the engine's disk until little is left."""
    free_bytes = shutil.disk_usage(engine.data).free
    (engine.data / "somebody-elses").write_bytes(b"x" * (free_bytes - LEFT_BYTES))


async def test_agent_fills_its_disk(elsewhere: Container) -> None:
    done = await elsewhere.run(sh("head -c 300M /dev/zero > /full; sleep 30", timeout_s=60))
    assert done.limit is Limit.DISK


async def test_hosts_disk_is_full(elsewhere: Container, second: PrivateEngine) -> None:
    assert (await elsewhere.run(sh("echo room"))).stdout == b"room\n"
    await asyncio.sleep(1)  # until nobody looks at the disk
    fill(second)
    with pytest.raises(InfraFault) as caught:
        await elsewhere.run(sh("head -c 20M /dev/zero > /some; echo $?"))
    assert caught.value.kind is FaultKind.HOST_DISK_FULL


async def test_hosts_disk_fills_under_a_command(
    elsewhere: Container, second: PrivateEngine
) -> None:
    task = asyncio.create_task(elsewhere.run(sh("sleep 30; echo never", timeout_s=60)))
    await asyncio.sleep(0.5)
    fill(second)
    with pytest.raises(InfraFault) as caught:
        async with asyncio.timeout(15):
            await task
    assert caught.value.kind is FaultKind.HOST_DISK_FULL


async def test_command_times_out(elsewhere: Container) -> None:
    done = await elsewhere.run(sh("sleep 30", timeout_s=1))
    assert done.timed_out


async def test_engine_hangs(
    elsewhere: Container, second: PrivateEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.workspace.channels.init_channel.GRACE_S", 1.0)
    monkeypatch.setattr("tools.workspace.channels.lost.ASK_LIMIT_S", 1.0)
    second.stop()
    try:
        with pytest.raises(InfraFault) as caught:
            await elsewhere.run(sh("sleep 0.1", timeout_s=1))
    finally:
        second.go_on()
    assert caught.value.kind is FaultKind.ENGINE_UNAVAILABLE
    assert "hangs" in caught.value.message


async def test_agent_kills_pid_1(container: Container) -> None:
    done = await container.run(sh("kill -9 1; kill -TERM 1; kill -9 -1"))
    assert done.exit_code in {0, 137}
    assert (await container.run(sh("echo alive"))).stdout == b"alive\n"


async def test_container_is_removed_from_outside(container: Container, engine: Engine) -> None:
    task = asyncio.create_task(container.run(sh("sleep 30")))
    await asyncio.sleep(0.3)
    await remove(engine, container.id)
    with pytest.raises(InfraFault) as caught:
        await task
    assert caught.value.kind is FaultKind.CONTAINER_LOST


async def test_agent_exceeds_its_memory(engine: Engine, container_spec: ContainerSpec) -> None:
    spec = replace(container_spec, limits=Limits(memory_bytes=64 * MIB))
    async with running(engine, spec) as container:
        eats = "b = []\nwhile True: b.append(bytearray(10_000_000))"
        done = await container.run(sh('python3 -c "$1"', eats))
        assert done.oom_kills >= 1
        assert (await container.run(sh("echo alive"))).stdout == b"alive\n"


async def test_host_kills_the_container(container: Container, engine: Engine) -> None:
    task = asyncio.create_task(container.run(sh("sleep 30")))
    await asyncio.sleep(0.3)
    await engine.docker.containers.container(container.id).kill(signal="KILL")
    with pytest.raises(InfraFault) as caught:
        await task
    assert caught.value.kind is FaultKind.CONTAINER_LOST
    assert "from outside" in caught.value.message
