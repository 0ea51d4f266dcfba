"""How every channel ends commands, and what becomes of what they started."""

import asyncio
import time

import pytest

from tests.contract.commands import MB, command_lines, sh
from tools.workspace.channels.channel import TAIL_BYTES, Channel, Command
from tools.workspace.container import Container
from tools.workspace.engine import Engine
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.start import remove

pytestmark = pytest.mark.docker


async def test_command_that_never_stops_writing_is_ended_in_time(channel: Channel) -> None:
    started = time.monotonic()
    done = await channel.run(Command(("yes",), timeout_s=1, max_output_bytes=1 * MB))
    assert time.monotonic() - started < 3
    assert done.timed_out
    assert len(done.stdout) == 1 * MB + TAIL_BYTES
    assert done.dropped_bytes > 0


async def test_timed_out_command_keeps_its_output(channel: Channel) -> None:
    started = time.monotonic()
    done = await channel.run(sh("echo begun; echo so >&2; sleep 60; echo never", timeout_s=1))
    assert time.monotonic() - started < 3
    assert (done.exit_code, done.timed_out, done.ok) == (None, True, False)
    assert (done.stdout, done.stderr) == (b"begun\n", b"so\n")
    assert 1 <= done.duration_s < 3


@pytest.mark.parametrize(
    "script",
    [
        "sleep 4711",
        "sleep 4711 & sleep 4711 & wait",
        "setsid sleep 4711 & sleep 4711",
        "(setsid sh -c 'sleep 4711 & sleep 4711 &' >/dev/null 2>&1 &) ; sleep 4711",
        "trap '' TERM INT HUP; nohup setsid sleep 4711 >/dev/null 2>&1 & sleep 4711",
        "sh -c 'kill -STOP $$' 4711 & sleep 4711",
        "env -i sleep 4711",
        "(env -i setsid sh -c 'sleep 4711 & sleep 4711 &' >/dev/null 2>&1 &) ; sleep 4711",
        "sleep 4711 & kill -STOP $$",
    ],
    ids=[
        "plain", "background", "setsid", "daemon", "deaf", "stopped", "bare-environment",
        "bare-daemon", "stops-itself",
    ],
)  # fmt: skip
async def test_timed_out_command_leaves_no_process(
    channel: Channel, script: str, *, is_plain: bool
) -> None:
    if is_plain and "(env -i" in script:
        pytest.xfail("the plain channel finds processes by parent and environment only")
    done = await channel.run(sh(script, timeout_s=1))
    assert done.timed_out
    assert "4711" not in await command_lines(channel)
    assert (await channel.run(sh("echo alive"))).stdout == b"alive\n"


async def test_timed_out_command_leaves_others_alone(channel: Channel) -> None:
    async with asyncio.TaskGroup() as group:
        other = group.create_task(channel.run(sh("sleep 2.5; echo finished")))
        late = group.create_task(channel.run(sh("sleep 60", timeout_s=1)))
    assert late.result().timed_out
    assert other.result().stdout == b"finished\n"


async def test_background_process_outlives_a_command_that_ended(channel: Channel) -> None:
    started = time.monotonic()
    done = await channel.run(sh("sleep 4711 >/dev/null 2>&1 & echo started"))
    assert time.monotonic() - started < 2
    assert done.stdout == b"started\n"
    assert "sleep 4711" in await command_lines(channel)


async def test_background_process_that_holds_the_streams_keeps_nobody_waiting(
    channel: Channel,
) -> None:
    started = time.monotonic()
    done = await channel.run(sh("sleep 4711 & echo started", timeout_s=5))
    assert (done.exit_code, done.stdout) == (0, b"started\n")
    assert time.monotonic() - started < 4
    assert "sleep 4711" in await command_lines(channel)


async def test_command_that_kills_its_own_shell_harms_nothing_else(channel: Channel) -> None:
    assert (await channel.run(sh("kill -9 $PPID; kill -9 $$"))).exit_code == 137
    assert (await channel.run(sh("echo alive"))).stdout == b"alive\n"


async def test_background_process_that_goes_on_writing_keeps_nobody_waiting(
    channel: Channel, *, is_plain: bool
) -> None:
    done = await channel.run(sh("yes & exit 3", timeout_s=10, max_output_bytes=MB))
    assert (done.exit_code, done.limit) == (3, None)
    lines = await command_lines(channel)
    assert is_plain or "yes" in lines


async def test_command_that_kills_all_it_can_leaves_the_container(channel: Channel) -> None:
    done = await channel.run(sh("trap '' TERM; kill -TERM -1; kill -9 1; kill -9 -1; kill -9 $$"))
    assert done.exit_code in {0, 137}
    assert (await channel.run(sh("echo alive"))).stdout == b"alive\n"


async def test_orphans_are_reaped(channel: Channel) -> None:
    await channel.run(sh("for i in 1 2 3 4 5; do (sleep 0.05 &) ; done; sleep 0.3"))
    states = await channel.run(sh("grep -h ^State: /proc/[0-9]*/status"))
    assert b"zombie" not in states.stdout


async def test_cancellation_is_passed_on_at_once_and_ends_the_command(channel: Channel) -> None:
    script = "for i in $(seq 100); do sleep 4711 & done; sleep 4711"
    task = asyncio.create_task(channel.run(sh(script, timeout_s=120)))
    await asyncio.sleep(0.5)
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - started < 1
    assert "4711" not in await command_lines(channel)


async def test_stdin_of_a_cancelled_command_harms_nothing(channel: Channel) -> None:
    running = asyncio.create_task(channel.run(sh("sleep 60", stdin=b"x" * 5 * MB)))
    await asyncio.sleep(0.3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await channel.run(sh("cat", stdin=b"next"))).stdout == b"next"


async def test_container_removed_under_a_command_is_a_fault(
    channel: Channel, engine: Engine, container: Container
) -> None:
    task = asyncio.create_task(channel.run(sh("sleep 60", timeout_s=120)))
    await asyncio.sleep(0.5)
    await remove(engine, container.id)
    with pytest.raises(InfraFault) as caught:
        async with asyncio.timeout(10):
            await task
    assert caught.value.kind is FaultKind.CONTAINER_LOST


async def test_command_in_a_container_that_is_gone_is_a_fault(
    channel: Channel, engine: Engine, container: Container
) -> None:
    await remove(engine, container.id)
    with pytest.raises(InfraFault) as caught:
        await channel.run(sh("true"))
    assert caught.value.kind is FaultKind.CONTAINER_LOST


async def test_paused_container_is_a_fault(
    channel: Channel, engine: Engine, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.workspace.channels.init_channel.GRACE_S", 1.0)
    monkeypatch.setattr("tools.workspace.channels.exec_channel.KILL_LIMIT_S", 1.0)
    paused = engine.docker.containers.container(container.id)
    await paused.pause()
    try:
        with pytest.raises(InfraFault) as caught:
            await channel.run(sh("true", timeout_s=1))
    finally:
        await paused.unpause()
    assert caught.value.kind in {FaultKind.CONTAINER_LOST, FaultKind.ENGINE_UNAVAILABLE}
    assert caught.value.retryable
