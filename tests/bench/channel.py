"""What one command costs: through the workspace's channel, the docker CLI, and the bare API."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from tests.bench.process import NotMeasured, timed
from tests.bench.row import Count, Row, Series, by_turns
from tests.bench.setting import Setting
from tools.workspace.channels.channel import Command
from tools.workspace.container import Container
from tools.workspace.engine import Engine
from tools.workspace.start import running

ROUNDS = 60
CALLS_PER_ROUND = 20
CHANNELS = 16
PACE_S = 0.1
PACED_CALLS = 100
GIGABYTE = 1_000_000_000
SOCKET = "unix:///var/run/docker.sock"
CLI = "docker exec CONTAINER true"


async def measure(setting: Setting) -> list[Row | Count]:
    """`true` three ways, many channels at once, and a command that prints a gigabyte."""
    async with Engine() as engine, running(engine, setting.spec()) as container:
        return [
            *await _round_trips(container),
            await _side_by_side(engine, setting),
            *await _gigabyte(container),
        ]


async def _round_trips(container: Container) -> list[Row]:
    ours: list[float] = []

    async def channel() -> float:
        taken = [await _true(container) for _ in range(CALLS_PER_ROUND)]
        ours.extend(taken)
        return taken[0]

    async with _bare_api() as session:
        _, cli, api = await by_turns(
            ROUNDS,
            {
                "Channel.run": channel,
                CLI: lambda: timed("docker", "exec", container.id, "true"),
                "exec create, start, inspect over the socket": lambda: _api(session, container.id),
            },
        )
    all_ours = Series(name="Channel.run", samples_s=tuple(ours))
    what = "`true` through the channel"
    return [
        Row(
            what=what, must_s=0.002, most_ratio=1 / 30,
            measured=all_ours, baseline=cli, parts=(api,),
        ),
        Row(what=what, must_s=0.010, statistic="p99", measured=all_ours),
    ]  # fmt: skip


async def _side_by_side(engine: Engine, setting: Setting) -> Row:
    async with AsyncExitStack() as stack:
        containers = [
            await stack.enter_async_context(running(engine, setting.spec()))
            for _ in range(CHANNELS)
        ]

        async def paced(container: Container) -> list[float]:
            taken = []
            for _ in range(PACED_CALLS):
                taken.append(await _true(container))
                await asyncio.sleep(max(0.0, PACE_S - taken[-1]))
            return taken

        taken = await asyncio.gather(*(paced(container) for container in containers))
    return Row(
        what=f"{CHANNELS} channels, each one `true` every {PACE_S * 1000:.0f} ms",
        must_s=0.050,
        statistic="p99",
        measured=Series(
            name="Channel.run", samples_s=tuple(sample for each in taken for sample in each)
        ),
    )


async def _gigabyte(container: Container) -> list[Row | Count]:
    argv = ("head", "-c", str(GIGABYTE), "/dev/zero")
    grown_mib: list[float] = []

    async def channel() -> float:
        before_mib = _peak_mib()
        began_s = time.monotonic()
        done = await container.run(Command(argv))
        spent_s = time.monotonic() - began_s
        if len(done.stdout) + done.dropped_bytes != GIGABYTE:
            raise NotMeasured("bytes of the gigabyte are missing")
        grown_mib.append(_peak_mib() - before_mib)
        return spent_s

    async def cli() -> float:
        line = f"docker exec {container.id} {' '.join(argv)} > /dev/null"
        return await timed("/bin/sh", "-c", line)

    ours, docker = await by_turns(3, {"Channel.run": channel, "docker exec to /dev/null": cli})
    what = "a command that prints 1 GB"
    up = Count(
        what=f"{what}: host memory up by", unit="MiB", at_most=64, measured=round(max(grown_mib), 1)
    )
    return [Row(what=what, most_ratio=2.0, measured=ours, baseline=docker), up]


def _peak_mib() -> float:
    """The most this process has held since the last call."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return int(line.split()[1]) / 1024


async def _true(container: Container) -> float:
    began_s = time.monotonic()
    done = await container.run(Command(("true",)))
    spent_s = time.monotonic() - began_s
    if not done.ok:
        raise NotMeasured(f"`true` ended with {done.exit_code}")
    return spent_s


@asynccontextmanager
async def _bare_api() -> AsyncIterator[aiohttp.ClientSession]:
    host = os.environ.get("DOCKER_HOST", SOCKET)
    if not host.startswith("unix://"):
        raise NotMeasured("the bare API is measured over a unix socket only")
    connector = aiohttp.UnixConnector(host.removeprefix("unix://"))
    async with aiohttp.ClientSession("http://docker", connector=connector) as session:
        yield session


async def _api(session: aiohttp.ClientSession, container_id: str) -> float:
    began_s = time.monotonic()
    create = {"Cmd": ["true"], "AttachStdout": True, "AttachStderr": True}
    async with session.post(f"/containers/{container_id}/exec", json=create) as made:
        exec_id = (await made.json())["Id"]
    async with session.post(f"/exec/{exec_id}/start", json={"Detach": False}) as stream:
        await stream.read()
    async with session.get(f"/exec/{exec_id}/json") as facts:
        exit_code = (await facts.json())["ExitCode"]
    spent_s = time.monotonic() - began_s
    if exit_code != 0:
        raise NotMeasured(f"`true` ended with {exit_code}")
    return spent_s
