"""An engine on another machine, as far as we can tell: reached over TCP, through a relay."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from agent_runner.run_dir import RunDir
from tools.workspace import labels
from tools.workspace.build.builder import Builder
from tools.workspace.container import ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.layers.base_image import Base
from tools.workspace.leftovers import containers
from tools.workspace.start import create, discard, remove, start

pytestmark = pytest.mark.docker

ROOT = Path(__file__).resolve().parents[2]
ALIVE = labels.Owner.current()
ELSEWHERE = replace(ALIVE, machine="another-machine")
LEASE_S = 1
SOCKET = "unix:///var/run/docker.sock"


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Passes bytes on until the source ends, and then its end."""
    with suppress(ConnectionError):
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
        sink.write_eof()


@pytest.fixture
async def address(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> AsyncIterator[str]:
    """Where the relay listens; `DOCKER_HOST` names it."""
    assert engine.is_local, "the relay itself leads to the engine of this machine"
    socket = os.environ.get("DOCKER_HOST", SOCKET).removeprefix("unix://")

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_engine, to_engine = await asyncio.open_unix_connection(socket)
        try:
            await asyncio.gather(pump(reader, to_engine), pump(from_engine, writer))
        finally:
            to_engine.close()
            writer.close()

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    host = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    monkeypatch.setenv("DOCKER_HOST", host)
    yield host
    server.close()


@pytest.fixture
async def remote(address: str) -> AsyncIterator[Engine]:
    """A connection through the relay."""
    async with Engine() as remote:
        assert not remote.is_local
        yield remote


async def cli(home: Path, *args: str) -> tuple[int | None, str, str]:
    """A command line of ours, which finds the relay in its environment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent_runner", *args,
        cwd=ROOT, env={**os.environ, "AGENT_RUNNER_HOME": str(home)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_of_another_machines_runs_only_what_is_dead_is_removed(
    remote: Engine, container_spec: ContainerSpec, home: Path, run_id: str
) -> None:
    """By a real `clean`, under the real labels; a sweep beside it may have been quicker."""
    run = f"{run_id}-remote"

    def spec(
        owner: labels.Owner, lease_s: float = LEASE_S, *, renewed: bool = True
    ) -> ContainerSpec:
        given = labels.run_labels(run, "agent", lease_s=lease_s, renewed=renewed)
        return replace(container_spec, init="", labels=given | {labels.OWNER: str(owner)})

    stay = {
        (await start(remote, spec(ELSEWHERE))).id,
        (await create(remote, spec(ELSEWHERE, 600))).id,
        (await start(remote, spec(ELSEWHERE, 600, renewed=False))).id,
        (await start(remote, spec(ALIVE, -1, renewed=False))).id,
    }
    dead = [
        await start(remote, spec(ELSEWHERE)),
        await create(remote, spec(ELSEWHERE)),
        await start(remote, spec(ELSEWHERE, -1, renewed=False)),
        await start(remote, spec(replace(ALIVE, started="1"), 600)),
    ]
    try:
        await remote.docker.containers.container(dead[0].id).kill()
        await asyncio.sleep(LEASE_S + 1.2)
        code, out, err = await cli(home, "clean", "--json")
        assert code == 0, err
        assert {row["id"] for row in json.loads(out)["removed"]} & stay == set()
        assert {row.id for row in await containers(remote, run)} == stay
    finally:
        for container_id in (*stay, *(each.id for each in dead)):
            await remove(remote, container_id)


async def test_another_machines_run_that_was_killed_is_over_after_two_leases(
    remote: Engine, container_spec: ContainerSpec, run_id: str
) -> None:
    """One lease until PID 1 ends the container, one more until anybody else removes it."""
    given = labels.run_labels(f"{run_id}-dies", "agent", lease_s=2 * LEASE_S, renewed=True)
    spec = replace(container_spec, labels=given | {labels.OWNER: str(ELSEWHERE)})
    alive, killed = await start(remote, spec), await start(remote, spec)
    try:
        await killed.close()
        await asyncio.sleep(2.5 * LEASE_S)
        assert await alive.is_running()
        assert not await killed.is_running()
        found = {row.id: row.leftover for row in await containers(remote, f"{run_id}-dies")}
        assert found == {alive.id: False, killed.id: False}
        await asyncio.sleep(3 * LEASE_S)
        found = {row.id: row.leftover for row in await containers(remote, f"{run_id}-dies")}
        assert found.pop(killed.id, True)
        assert found == {alive.id: False}
    finally:
        await discard(remote, alive)
        await discard(remote, killed)


async def test_a_run_that_was_killed_leaves_nothing_there(
    remote: Engine, home: Path, tmp_path: Path
) -> None:
    out = tmp_path / f"remote-{secrets.token_hex(4)}"
    demo = ("--config", "configs/demo.yaml", "--out", str(out))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent_runner", *demo,
        cwd=ROOT, env={**os.environ, "AGENT_RUNNER_HOME": str(home)},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    said = [line async for line in turns(process.stderr, 3)]
    process.kill()
    await process.wait()
    assert said, "it was killed while its agent worked"
    run = RunDir(out).run_id
    roles = {row.role for row in await containers(remote, run)}
    assert {"agent"} <= roles <= {"agent", "grader"}  # controls may run beside it
    code, _, err = await cli(home, "clean")
    assert code == 0, err
    assert await containers(remote, run) == []


async def turns(stream: asyncio.StreamReader, number: int) -> AsyncIterator[str]:
    """Lines up to that of the turn."""
    while line := (await stream.readline()).decode():
        if line.startswith(f"turn {number:>2}"):
            yield line
            return


async def test_layers_built_there_keep_no_package_cache(
    address: str, base: Base, home: Path, run_id: str
) -> None:
    async with Engine() as engine:
        builder = Builder(engine, run_id, home, dict(os.environ), lambda text: None)
        async with builder.container(base.image.id) as made:
            await made.step("making an environment", "uv", "venv", "-q", "/tmp/made")
            python = ("--python", "/tmp/made/bin/python")
            await made.step("installing", "uv", "pip", "install", "-q", *python, "six")
            kept = await made.attempt("/bin/sh", "-c", "ls ~/.cache/uv")
    assert not kept.ok, kept.stdout
