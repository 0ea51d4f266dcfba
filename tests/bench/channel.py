"""What one command costs: through the workspace's channel, the docker CLI, and the bare API."""

import os
import time

import aiohttp

from tests.bench.process import NotMeasured, timed
from tests.bench.row import Row, by_turns
from tests.bench.setting import Setting
from tools.workspace.channel import Command
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.labels import run_labels
from tools.workspace.start import running

ROUNDS = 30
LEASE_S = 600
SOCKET = "unix:///var/run/docker.sock"


async def measure(setting: Setting) -> list[Row]:
    """`true` three ways in one container; nothing is demanded yet."""
    spec = ContainerSpec(setting.image, run_labels(setting.name, "bench", lease_s=LEASE_S))
    host = os.environ.get("DOCKER_HOST", SOCKET)
    if not host.startswith("unix://"):
        raise NotMeasured("the bare API is measured over a unix socket only")
    connector = aiohttp.UnixConnector(host.removeprefix("unix://"))
    async with (
        Engine() as engine,
        running(engine, spec) as container,
        aiohttp.ClientSession("http://docker", connector=connector) as session,
    ):
        channel, cli, api = await by_turns(
            ROUNDS,
            {
                "Channel.run": lambda: _channel(container),
                "docker exec CONTAINER true": lambda: timed("docker", "exec", container.id, "true"),
                "exec create, start, inspect over the socket": lambda: _api(session, container.id),
            },
        )
    what = "`true` through the channel"
    return [Row(what=what, measured=channel, baseline=cli, parts=(api,))]


async def _channel(container: Container) -> float:
    began_s = time.monotonic()
    done = await container.run(Command(("true",)))
    spent_s = time.monotonic() - began_s
    if not done.ok:
        raise NotMeasured(f"`true` ended with {done.exit_code}")
    return spent_s


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
