"""Bombs in a container: they end, the agent is told, nobody else notices."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.contract.commands import MB, command_lines, sh
from tools.workspace.channels.channel import Command, Limit
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.disk import IDLE_S
from tools.workspace.engine import Engine
from tools.workspace.limits import Limits
from tools.workspace.start import running

pytestmark = pytest.mark.docker

MIB = 1024**2
LIMITS = Limits(memory_bytes=128 * MIB, pids=64, disk_bytes=64 * MIB)
EATS_MEMORY = "b = []\nwhile True: b.append(bytearray(10_000_000))"
FORKS = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
FORKS_AND_LEAVES = "import os\nwhile True:\n  try: os.fork() or os.setsid()\n  except OSError: pass"


@pytest.fixture
async def small(engine: Engine, container_spec: ContainerSpec) -> AsyncIterator[Container]:
    """A container with little of everything."""
    async with running(engine, replace(container_spec, limits=LIMITS)) as container:
        yield container


async def longest_answer_s(container: Container, task: "asyncio.Task[object]") -> float:
    """How long `true` took at most elsewhere, while the task ran."""
    longest_s = 0.0
    while not task.done():
        started = time.monotonic()
        assert (await container.run(Command(("true",)))).ok
        longest_s = max(longest_s, time.monotonic() - started)
        await asyncio.sleep(0.05)
    return longest_s


@pytest.mark.parametrize("bomb", [FORKS, FORKS_AND_LEAVES], ids=["fork", "setsid"])
async def test_fork_bomb(small: Container, container: Container, bomb: str) -> None:
    running_bomb = asyncio.create_task(small.run(Command(("python3", "-c", bomb), timeout_s=2)))
    waited_s = await longest_answer_s(container, running_bomb)
    done = await running_bomb
    assert done.timed_out
    assert done.refused_forks > 0
    assert done.duration_s < 6
    assert waited_s < 3
    assert "python3" not in await command_lines(small)
    assert (await small.run(sh("echo alive"))).stdout == b"alive\n"


async def test_background_processes_that_take_every_place_make_room(small: Container) -> None:
    await small.run(sh('python3 -c "$1" >/dev/null 2>&1 & sleep 1', FORKS))
    done = await small.run(sh("echo alive"))
    assert (done.stdout, done.background_ended) == (b"alive\n", True)
    assert done.refused_forks > 0
    assert "python3" not in await command_lines(small)


async def test_memory_bomb(small: Container, container: Container) -> None:
    bomb = Command(("python3", "-c", EATS_MEMORY), timeout_s=30)
    eating = asyncio.create_task(small.run(bomb))
    waited_s = await longest_answer_s(container, eating)
    done = await eating
    assert done.exit_code == 137
    assert done.oom_kills >= 1
    assert waited_s < 3
    next_one = await small.run(sh("echo alive"))
    assert (next_one.stdout, next_one.oom_kills) == (b"alive\n", 0)


async def test_memory_bomb_below_a_shell_that_goes_on(small: Container) -> None:
    done = await small.run(sh('python3 -c "$1"; echo "code $?"', EATS_MEMORY, timeout_s=30))
    assert (done.exit_code, done.stdout) == (0, b"code 137\n")
    assert done.oom_kills >= 1


async def test_disk_bomb_is_ended_and_the_agent_can_tidy_up(small: Container) -> None:
    done = await small.run(sh("head -c 20G /dev/zero > /tmp/full; echo never", timeout_s=30))
    assert (done.limit, done.exit_code, done.stdout) == (Limit.DISK, None, b"")
    assert small.disk is not None
    assert LIMITS.disk_bytes < small.disk.most_used_bytes < 40 * LIMITS.disk_bytes
    # Over the limit already, but it does not grow.
    assert (await small.run(sh("sleep 2.5; echo tidy"))).stdout == b"tidy\n"
    again = await small.run(sh("head -c 20G /dev/zero > /tmp/more; echo never", timeout_s=30))
    assert again.limit is Limit.DISK
    assert (await small.run(sh("rm /tmp/full /tmp/more && echo rid"))).stdout == b"rid\n"
    calm = await small.run(sh("head -c 20M /dev/zero > /tmp/some; sleep 2.5; echo fine"))
    assert calm.stdout == b"fine\n"


async def test_disk_bomb_without_a_name_counts(small: Container) -> None:
    script = "exec 3>/tmp/hidden; rm /tmp/hidden; head -c 300M /dev/zero >&3; sleep 20; echo never"
    done = await small.run(sh(script, timeout_s=30))
    assert (done.limit, done.stdout) == (Limit.DISK, b"")


async def test_disk_bomb_in_the_background_is_ended(small: Container) -> None:
    script = "(sleep 2; head -c 2G /dev/zero > /tmp/full; sleep 60) >/dev/null 2>&1 & echo on"
    assert (await small.run(sh(script))).stdout == b"on\n"
    await asyncio.sleep(IDLE_S + 4)
    assert "sleep" not in await command_lines(small)


async def test_sparse_file_is_no_bomb(small: Container) -> None:
    done = await small.run(
        sh("head -c 1 /dev/zero | dd of=/tmp/s bs=1 seek=1T; sleep 2.5; echo on")
    )
    assert done.stdout == b"on\n"


async def test_log_bomb(small: Container) -> None:
    done = await small.run(Command(("yes",), timeout_s=2, max_output_bytes=MB))
    assert (done.limit, len(done.stdout) < 2 * MB) == (Limit.TIME, True)
    assert done.dropped_bytes > 100 * MB
