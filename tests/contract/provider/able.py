"""An endpoint that is able, with habits: what `doctor --provider` has to find out."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from agent_runner.provider.probe.checks import long_text
from agent_runner.testing.behaviour import Behaviour
from agent_runner.testing.chat import Chat
from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.listing import ListedModel

MODEL = "some/model"
LISTED = ListedModel(
    id=MODEL, context_length=100_000, max_output_length=6_000, prompt_price=0.5,
    completion_price=2.0, cached_price=0.1,
)  # fmt: skip


@dataclass
class Able:
    """A model that does what it is told, at an endpoint with habits.

    Attributes:
        refuses: parameters answered with 400.
        says_which: whether that answer names the parameter.
        thinks_in: where its reasoning goes; "" for none.
        wants: whether a history must hold its reasoning, may, or must not.
        spoil: what becomes of the text of a call.
    """

    refuses: tuple[str, ...] = ()
    says_which: bool = True
    thinks_in: str = ""
    wants: str = "may"
    spoil: Callable[[str], str] = str
    call: bool = True
    usage: dict[str, Any] | None = field(
        default_factory=lambda: {"prompt_tokens": 100, "completion_tokens": 10}
    )
    requests: list[dict[str, Any]] = field(default_factory=list)

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        sent = await request.json()
        self.requests.append(sent)
        for name in self.refuses:
            if name in sent:
                text = f"Unsupported parameter: '{name}'" if self.says_which else "bad request"
                return web.json_response({"error": {"message": text}}, status=400)
        if chat.turn > 1 and self._refuses_history(sent["messages"]):
            return web.json_response({"error": {"message": "reasoning, please"}}, status=400)
        limit = sent.get("max_tokens", sent.get("max_completion_tokens"))
        finish, message = "stop", self._message(chat)
        if limit < 100:
            finish, message = "length", {"content": "one"}
        body = {"choices": [{"message": message, "finish_reason": finish}], "usage": self.usage}
        return web.json_response(body)

    def _refuses_history(self, messages: list[dict[str, Any]]) -> bool:
        (reply,) = [m for m in messages if m["role"] == "assistant"]
        has = self.thinks_in in reply or "<think>" in (reply["content"] or "")
        return {"must": not has, "must not": has}.get(self.wants, False)

    def _message(self, chat: Chat) -> dict[str, Any]:
        if chat.turn > 1 or not self.call:
            return {"content": "done"}
        text = long_text() if "<<<BEGIN>>>" in chat.newest else "pong"
        call = {"name": "note", "arguments": json.dumps({"text": self.spoil(text)})}
        message = {"content": None, "tool_calls": [{"id": "c1", "function": call}]}
        if self.thinks_in == "think":
            return {**message, "content": "<think>\nI call.\n</think>\n"}
        return {**message, self.thinks_in: "I call."} if self.thinks_in else message


@contextmanager
def serving(behaviour: Behaviour, **settings: Any) -> Iterator[FakeEndpoint]:
    """The endpoint in a thread of its own: a command line brings its own event loop."""
    loop, ready, done = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    endpoint = FakeEndpoint([behaviour], **{"models": [LISTED], **settings})

    async def serve() -> None:
        async with endpoint:
            ready.set()
            await done.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(5)
    try:
        yield endpoint
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(5)
