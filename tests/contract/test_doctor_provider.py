"""`doctor --provider` as a process: Ctrl-C ends it at once, without a traceback."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from aiohttp import web

from agent_runner.testing.behaviour import Stall
from agent_runner.testing.chat import Chat
from agent_runner.testing.endpoint import FakeEndpoint

ROOT = Path(__file__).parents[2]


class Silent:
    """Says when it was asked, and nothing else."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        self.asked.set()
        return await Stall().respond(request, chat)


def kept(home: Path) -> Iterator[Path]:
    return home.iterdir()


async def test_ctrl_c_while_an_endpoint_is_silent(tmp_path: Path) -> None:
    silent = Silent()
    async with FakeEndpoint([silent], models=["m"]) as endpoint, asyncio.timeout(60):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agent_runner", "doctor", "--provider", "--model", "m",
            "--base-url", endpoint.base_url, cwd=ROOT, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "AGENT_RUNNER_HOME": str(tmp_path)},
        )  # fmt: skip
        await silent.asked.wait()
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(5):
            out, err = await process.communicate()
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert out == b""
    assert not list(kept(tmp_path))
