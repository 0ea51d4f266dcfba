"""The real client at an endpoint that bears so many requests at a time and refuses the others."""

import asyncio
import time
from dataclasses import dataclass, replace

from aiohttp import web
from autogen_core.models import LLMMessage, UserMessage

from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, with_key
from agent_runner.provider.retries import RetryPolicy
from agent_runner.testing.behaviour import Canned
from agent_runner.testing.chat import Chat
from agent_runner.testing.endpoint import FakeEndpoint

WORKERS = 40
LATENCY_S = 0.25
WARM_UP_S, MEASURED_S = 3.0, 5.0
LEAST_USED, MOST_REFUSED = 0.8, 0.1
TASK: list[LLMMessage] = [UserMessage(content="fix it", source="user")]
QUICK = RetryPolicy(attempts=1_000, base_wait_s=0.05, max_wait_s=0.2)
DONE = Canned({"choices": [{"message": {"content": "done"}}]})
FULL = Canned({"detail": "Infrastructure is at maximum capacity, try again later"}, 429)


@dataclass
class Bears:
    """Answers after `LATENCY_S`, at most `most` at a time.

    Attributes:
        used_s: seconds of all requests it answered: at most `most` times the time there was.
    """

    most: int
    under_way: int = 0
    answered: int = 0
    refused: int = 0
    used_s: float = 0.0

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Answer or refuse."""
        if self.under_way == self.most:
            self.refused += 1
            return await FULL.respond(request, chat)
        self.under_way += 1
        began_s = time.monotonic()
        try:
            await asyncio.sleep(LATENCY_S)
        finally:
            self.under_way -= 1
            self.used_s += time.monotonic() - began_s
        self.answered += 1
        return await DONE.respond(request, chat)


async def test_it_finds_how_many_the_endpoint_bears_and_stays_there() -> None:
    most = 8
    bears = Bears(most)
    async with FakeEndpoint([bears], models=["fake"], keep_requests=False) as endpoint:
        profile = ModelProfile(name="f", model="fake", base_url=endpoint.base_url)
        async with ModelClient(with_key(profile, {}), QUICK) as client:

            async def work() -> None:
                episode = client.for_episode()
                while True:
                    await episode.create(TASK)

            tasks = [asyncio.create_task(work()) for _ in range(WORKERS)]
            await asyncio.sleep(WARM_UP_S)
            warm, began_s = replace(bears), time.monotonic()
            await asyncio.sleep(MEASURED_S)
            spent_s = time.monotonic() - began_s
            used = (bears.used_s - warm.used_s) / (most * spent_s)
            answered, refused = bears.answered - warm.answered, bears.refused - warm.refused
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert client.gate.window.in_flight == client.gate.waiting == 0
    assert used >= LEAST_USED, (used, answered, refused)
    assert refused <= MOST_REFUSED * answered
