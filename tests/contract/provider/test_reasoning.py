"""Reasoning goes back as the endpoint wants it: a real agent, and an endpoint that insists."""

import json
from dataclasses import dataclass

import pytest
from aiohttp import web
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import TextMessage
from autogen_core import CancellationToken
from autogen_core.tools import FunctionTool, StaticWorkbench
from pydantic import JsonValue

from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, with_key
from agent_runner.provider.records import CallRecord
from agent_runner.testing.chat import Chat
from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.script import Script

THOUGHTS = ("First I add.", "Then I say so.", "Then I stop.")
REQUIRED = Script.model_validate(
    {
        "model": "scripted",
        "reasoning_required": True,
        "turns": [
            {
                "reply": {
                    "reasoning": THOUGHTS[0],
                    "calls": [{"tool": "add", "arguments": {"a": 2}}],
                }
            },
            {"reply": {"reasoning": THOUGHTS[1], "content": "Sum: 3."}},
            {
                "reply": {
                    "reasoning": THOUGHTS[2],
                    "calls": [{"tool": "add", "arguments": {"a": 3}}],
                }
            },
            {"reply": {"content": "done"}},
        ],
    }
)


@dataclass
class Speaks:
    """Plays a script, with its reasoning in another field."""

    field: str

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        script = REQUIRED.model_copy(update={"reasoning_required": False})
        response = await script.respond(request, chat)
        assert isinstance(response, web.Response)
        assert isinstance(response.body, bytes)
        tree = json.loads(response.body)
        message = tree["choices"][0]["message"]
        if reasoning := message.pop("reasoning_content", None):
            message[self.field] = reasoning
        return web.json_response(tree)


async def add(a: int) -> int:
    return a + 1


async def play(
    behaviour: Script | Speaks, policy: dict[str, str] | None = None
) -> tuple[list[dict[str, JsonValue]], tuple[CallRecord, ...]]:
    """Four turns of an agent; returns the assistant messages of the last request, and records."""
    async with FakeEndpoint([behaviour], models=["scripted"]) as endpoint:
        profile = ModelProfile.model_validate(
            {"name": "s", "model": "scripted", "base_url": endpoint.base_url}
            | {"reasoning": policy or {}}
        )
        async with ModelClient(with_key(profile, {})) as client:
            episode = client.for_episode()
            bench = StaticWorkbench([FunctionTool(add, description="adds")])
            agent = AssistantAgent("swe", episode, workbench=bench)
            for number in range(4):
                asked = [TextMessage(content="go on", source="user")] if number in {0, 2} else []
                async for _ in agent.on_messages_stream(asked, CancellationToken()):
                    pass
            records = episode.take_records()
    messages = json.loads(endpoint.requests[-1].body)["messages"]
    return [m for m in messages if m["role"] == "assistant"], records


async def test_an_endpoint_that_insists_on_its_reasoning_is_content() -> None:
    sent, records = await play(REQUIRED)
    assert [message.get("reasoning_content") for message in sent] == [
        THOUGHTS[0], None, THOUGHTS[2],
    ]  # fmt: skip
    assert [record.reasoning for record in records] == [*THOUGHTS, None]


async def test_by_default_it_goes_back_in_the_field_it_came_in() -> None:
    sent, records = await play(Speaks("reasoning"))
    assert [message.get("reasoning") for message in sent] == [THOUGHTS[0], None, THOUGHTS[2]]
    assert not any("reasoning_content" in message for message in sent)
    assert [record.reasoning for record in records] == [*THOUGHTS, None]


@pytest.mark.parametrize("came_in", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_always_means_text_turns_too(came_in: str, field: str) -> None:
    sent, _ = await play(Speaks(came_in), {"send_back": "always", "field": field})
    assert [message.get(field) for message in sent] == list(THOUGHTS)
    assert [message["content"] for message in sent] == [None, "Sum: 3.", None]


async def test_always_keeps_the_field_of_a_text_turn() -> None:
    sent, _ = await play(Speaks("reasoning"), {"send_back": "always"})
    assert [message.get("reasoning") for message in sent] == list(THOUGHTS)


async def test_never_means_never() -> None:
    sent, records = await play(Speaks("reasoning"), {"send_back": "never"})
    assert [set(message) for message in sent] == [
        {"role", "content", "tool_calls"}, {"role", "content"}, {"role", "content", "tool_calls"},
    ]  # fmt: skip
    assert records[0].reasoning == THOUGHTS[0], "kept and shown all the same"


async def test_tags_stand_before_the_content() -> None:
    sent, _ = await play(Speaks("reasoning"), {"send_back": "always", "field": "think"})
    assert [message["content"] for message in sent] == [
        f"<think>\n{THOUGHTS[0]}\n</think>\n\n",
        f"<think>\n{THOUGHTS[1]}\n</think>\n\nSum: 3.",
        f"<think>\n{THOUGHTS[2]}\n</think>\n\n",
    ]
