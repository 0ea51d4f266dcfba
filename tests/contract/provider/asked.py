"""What the client is asked in these tests, and how it is answered."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from aiohttp import web
from autogen_core.models import (
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import ToolSchema
from pydantic import JsonValue

from agent_runner.provider.episode_client import EpisodeClient
from agent_runner.provider.retries import RetryPolicy
from agent_runner.testing.behaviour import Behaviour, Canned
from agent_runner.testing.chat import Chat
from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.script import Script, ScriptedReply, Turn

Open = Callable[..., AbstractAsyncContextManager[tuple[EpisodeClient, FakeEndpoint]]]
TASK: list[LLMMessage] = [
    SystemMessage(content="sys"),
    UserMessage(content="fix it", source="user"),
]
TOOLS = [ToolSchema(name="swe_clone", description="clones")]
GOOD = Script(model="fake", turns=(Turn(reply=ScriptedReply(content="done")),))
PATIENT = RetryPolicy(base_wait_s=0.001)
DONE: JsonValue = {"choices": [{"message": {"content": "done"}}]}


def completion(content: str) -> Canned:
    return Canned({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]})


class Announced:
    """Another behaviour that says when its request has come."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.reached = asyncio.Event()
        self._behaviour = behaviour

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        self.reached.set()
        return await self._behaviour.respond(request, chat)
