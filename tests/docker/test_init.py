"""What the init of containers withstands, and what it leaves."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.commands import command_lines, sh
from tests.docker.private_engine import import_tiny, tiny_rootfs
from tools.workspace.build.builder import Builder
from tools.workspace.channels.channel import Command
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.labels import run_labels
from tools.workspace.layers.base_image import Base
from tools.workspace.layers.init_volume import init_volume
from tools.workspace.start import running

pytestmark = pytest.mark.docker

WRITE_INTO_PID_1 = """
for fd in /proc/1/fd/* /proc/1/fd/0 /proc/1/fd/1 /proc/1/fd/10 /proc/1/fd/11; do
  printf 'forged' > "$fd" && echo "wrote $fd"
done
head -c 10 /proc/1/mem && echo "read its memory"
for fd in /proc/$PPID/fd/*; do printf 'forged' > "$fd" && echo "wrote $fd of the supervisor"; done
true
"""


async def test_nobody_inside_reads_or_writes_the_protocol(container: Container) -> None:
    done = await container.run(sh(f"exec 2>/dev/null; {WRITE_INTO_PID_1}"))
    assert (done.exit_code, done.stdout) == (0, b"")
    assert (await container.run(sh("echo alive"))).stdout == b"alive\n"


async def test_no_signal_from_inside_ends_it(container: Container) -> None:
    done = await container.run(sh("for n in 1 2 3 9 15 17 19 31; do kill -$n 1; done; echo on"))
    assert done.stdout == b"on\n"
    assert (await container.run(sh("echo alive"))).stdout == b"alive\n"


async def test_command_that_kills_its_supervisor_ends_with_all_it_started(
    container: Container,
) -> None:
    other = asyncio.create_task(container.run(sh("sleep 1.5; echo untouched")))
    await asyncio.sleep(0.2)
    script = "(setsid sleep 4711 >/dev/null 2>&1 &); sleep 0.2; kill -9 $PPID; sleep 4711"
    done = await container.run(sh(script))
    assert (done.exit_code, done.limit) == (137, None)
    assert "4711" not in await command_lines(container)
    assert (await other).stdout == b"untouched\n"


async def test_thousand_commands_leave_init_as_it_was(container: Container) -> None:
    async def pages_and_processes() -> tuple[int, int]:
        await asyncio.sleep(0.2)  # until the last command's supervisor is gone
        done = await container.run(sh("cut -d' ' -f2 /proc/1/statm; ls -d /proc/[0-9]* | wc -l"))
        pages, processes = done.stdout.split()
        return int(pages), int(processes)

    await container.run(sh("head -c 1000000 /dev/zero", max_output_bytes=1000))
    # A look may meet a supervisor at its end; the fewest of some is what there is at rest.
    looks = [await pages_and_processes() for _ in range(5)]
    pages, processes = looks[0][0], min(found for _, found in looks)
    for _ in range(1000):
        await container.run(sh("head -c 100000 /dev/zero", max_output_bytes=1000))
    async with asyncio.timeout(20):  # a loaded machine takes its time to end the last supervisor
        while (after := await pages_and_processes())[1] > processes:
            pass
    assert after[1] == processes
    assert after[0] <= pages + 16


async def test_layer_keeps_nothing_of_it(container: Container, engine: Engine) -> None:
    await container.run(sh("echo run; true"))
    path = f"containers/{container.id}/changes"
    assert await engine.docker._query_json(path) in (None, [])


async def test_image_with_a_shell_and_nothing_else(
    container: Container, engine: Engine, throwaway: list[str], tmp_path: Path
) -> None:
    rootfs = await tiny_rootfs(container, "sh")
    throwaway.append("agent_runner-test/shell:only")
    tag = await import_tiny(engine, rootfs, throwaway[0], tmp_path)
    async with running(engine, replace(container.spec, image=tag)) as bare:
        done = await bare.run(sh("echo out; echo err >&2; exit 3"))
        assert (done.exit_code, done.stdout, done.stderr) == (3, b"out\n", b"err\n")
        assert (await bare.run(Command(("ls",)))).exit_code == 127
        late = await bare.run(
            sh("echo begun; (while :; do :; done) & while :; do :; done", timeout_s=0.5)
        )
        assert (late.timed_out, late.stdout) == (True, b"begun\n")
        assert (await bare.run(sh("read line; echo $line", stdin=b"in\n"))).stdout == b"in\n"


@pytest.fixture
async def left_alone(
    engine: Engine, container_spec: ContainerSpec, run_id: str, request: pytest.FixtureRequest
) -> AsyncIterator[Container]:
    """A container whose runner went away without a word; its labels come from the test."""
    labels = run_labels(run_id, "test", lease_s=0.6, renewed=True, kept=request.param)
    async with running(engine, replace(container_spec, labels=labels)) as container:
        yield container


@pytest.mark.parametrize("left_alone", [False], indirect=True)
async def test_container_ends_when_nobody_renews_its_lease(left_alone: Container) -> None:
    await asyncio.sleep(1.5)
    assert await left_alone.is_running(), "it is renewed"
    await left_alone.close()
    await asyncio.sleep(1.5)
    assert not await left_alone.is_running()


@pytest.mark.parametrize("left_alone", [True], indirect=True)
async def test_kept_container_outlives_its_runner(left_alone: Container) -> None:
    await left_alone.close()
    await asyncio.sleep(1.5)
    assert await left_alone.is_running()


async def test_it_is_compiled_once_and_its_volume_made_again_where_it_is_gone(
    builder: Builder, base: Base, tmp_path: Path, init: str
) -> None:
    said: list[str] = []
    kept = tmp_path / "init"
    kept.mkdir()
    for file in (builder.home / "init").iterdir():
        if file.suffix != ".volume":
            (kept / file.name).write_bytes(file.read_bytes())
    own = replace(builder, home=tmp_path, report=said.append)
    assert await init_volume(own, base.image) == init
    assert said == [], "the volume is looked at, nothing is compiled"
    for half in kept.iterdir():
        if half.suffix == "":
            half.unlink()
    assert await init_volume(own, base.image) == init
    assert said == [], "the marker is enough"
