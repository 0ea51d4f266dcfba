"""From the command line to the model's first request, the instance layer being there."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from agent_runner.testing.behaviour import Stall
from agent_runner.testing.chat import Chat
from agent_runner.testing.endpoint import FakeEndpoint
from tests.bench.process import AGENT_RUNNER, LIMIT_S, PYTHON, NotMeasured, shown, started, timed
from tests.bench.row import Row, by_turns
from tests.bench.setting import BASELINE, SEED, Setting

ROUNDS = 7
MUST_S = 1.5
MUST_AFTER_IMPORTS_S = 0.6
MODEL = "scripted"
# What a run with an agent imports before its first request, as the run itself does it; the end of
# the interpreter is no part of that.
IMPORTS = """
import os
from agent_runner.imports import collector_paused
with collector_paused():
    import agent_runner.cli, agent_runner.commands.run, agent_runner.agent_run
os._exit(0)
"""


@dataclass
class Arrival:
    """Says when the first valid request came, and never answers."""

    at_s: asyncio.Future[float]

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Notes the monotonic time."""
        if not self.at_s.done():
            self.at_s.set_result(time.monotonic())
        return await Stall().respond(request, chat)


async def measure(setting: Setting) -> list[Row]:
    """The whole, and what is left of it when the imports are taken away."""
    whole, imports, baseline = await by_turns(
        ROUNDS,
        {
            "python -m agent_runner --solver agent": lambda: _first_request(setting),
            "its imports alone": lambda: timed(PYTHON, "-c", IMPORTS),
            BASELINE: setting.docker_run,
        },
    )
    return [
        Row(
            what="command line to first model request, instance layer there",
            must_s=MUST_S,
            measured=whole,
            baseline=baseline,
            parts=(imports,),
        ),
        Row(
            what="of it after imports",
            must_s=MUST_AFTER_IMPORTS_S,
            measured=whole.minus(imports, "whole - imports, by round"),
            baseline=baseline,
        ),
    ]


async def _first_request(setting: Setting) -> float:
    arrival = Arrival(asyncio.get_running_loop().create_future())
    async with FakeEndpoint([arrival], models=[MODEL]) as endpoint:
        argv = (
            *AGENT_RUNNER, "--task-id", SEED, "--solver", "agent", "--max-turns", "1",
            "--model", MODEL, "--base-url", endpoint.base_url, "--out", str(setting.new_run()),
        )  # fmt: skip
        async with started(argv) as child:
            ended = asyncio.create_task(child.process.communicate())
            try:
                async with asyncio.timeout(LIMIT_S):
                    either: list[asyncio.Future[Any]] = [ended, arrival.at_s]
                    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if not arrival.at_s.done():
                    raise NotMeasured(f"no request came: {shown((await ended)[0])}")
                return arrival.at_s.result() - child.started_s
            except TimeoutError as error:
                raise NotMeasured(f"no request came in {LIMIT_S:.0f} s") from error
            finally:
                ended.cancel()
