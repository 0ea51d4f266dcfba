"""`clean` and an engine that misbehaves: a stand-in that speaks as much of the API as it needs."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from tools.workspace.labels import OWNER, Owner, run_labels

ROOT = Path(__file__).resolve().parents[2]
GOES, FAILS, HANGS = ("a" * 64, "b" * 64, "c" * 64)
VERSION = {"Version": "0", "ApiVersion": "1.41", "Arch": "amd64"}


@pytest.fixture
def there() -> list[str]:
    """The containers there are; each test says which, and their ids say what they do."""
    return []


@pytest.fixture
async def engine(there: list[str], tmp_path: Path) -> AsyncIterator[str]:
    """Serves at a socket; the fixture is what to put into `DOCKER_HOST`."""
    dead = replace(Owner.current(), started="1")
    labels = run_labels("gone", "agent", lease_s=60) | {OWNER: str(dead)}

    async def answer(request: web.Request) -> web.Response:
        kind = re.sub(r"^/v[\d.]+/", "", request.path)
        if request.method == "DELETE":
            return await remove(kind.rpartition("/")[2])
        rows = [{"Id": i, "Labels": labels, "State": "running", "Created": 1} for i in there]
        answers = {"containers/json": rows, "networks": [], "volumes": {"Volumes": []}}
        return web.json_response(answers.get(kind, VERSION))

    async def remove(container_id: str) -> web.Response:
        if container_id == HANGS:
            await asyncio.sleep(60)
        if container_id == FAILS:
            return web.json_response({"message": "device or resource busy"}, status=500)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "engine.sock")).start()
    yield f"unix://{tmp_path}/engine.sock"
    await runner.cleanup()


async def started(host: str, home: Path, *args: str) -> asyncio.subprocess.Process:
    """`clean`, with a state directory of its own."""
    env = {**os.environ, "DOCKER_HOST": host, "AGENT_RUNNER_HOME": str(home)}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent_runner", "clean", *args,
        cwd=ROOT, env={**env, "TMPDIR": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


async def test_what_cannot_be_removed_is_told_and_keeps_none_of_the_others(
    engine: str, there: list[str], tmp_path: Path
) -> None:
    there += [FAILS, GOES]
    process = await started(engine, tmp_path)
    _, err = await process.communicate()
    assert process.returncode == 3
    lines = err.decode().splitlines()
    assert sorted(line.split()[0] for line in lines) == ["1", "agent_runner:", "not", "removed"]
    assert "1 removed, 1 could not be" in lines
    assert "device or resource busy" in lines[-1]


async def test_the_counts_are_told_as_json(engine: str, there: list[str], tmp_path: Path) -> None:
    there += [FAILS, GOES]
    process = await started(engine, tmp_path, "--json")
    out, _ = await process.communicate()
    assert process.returncode == 3
    said = json.loads(out)
    row = {"run": "gone", "role": "agent", "kind": "container"}
    assert said == {"removed": [{"id": GOES, **row}], "failed": [{"id": FAILS, **row}], "files": []}


async def test_what_takes_long_is_shown_and_ends_with_ctrl_c(
    engine: str, there: list[str], tmp_path: Path
) -> None:
    there += [HANGS, GOES]
    process = await started(engine, tmp_path)
    assert process.stderr is not None
    async with asyncio.timeout(10):
        said = [(await process.stderr.readline()).decode() for _ in range(2)]
        assert said[0].startswith("removed agent container aaaaaaaaaaaa of run gone")
        assert said[1] == "1 of 2 removed ...\n"
        asked_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        rest = (await process.stderr.read()).decode()
        assert await process.wait() == 130
    assert time.monotonic() - asked_s < 2
    assert "interrupted" in rest
    assert "Traceback" not in rest
