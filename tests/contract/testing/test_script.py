from pathlib import Path

import aiohttp
import pytest
from autogen_core.models import UserMessage
from pydantic import JsonValue

from agent_runner.errors import ProviderFault
from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, with_key
from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.script import (
    Call,
    Pattern,
    Script,
    ScriptedReply,
    ScriptedUsage,
    Turn,
)
from tests.contract.testing.refused import refused_in_one_line

TWO_TURNS = Script(
    turns=(
        Turn(
            expect=("fix",),
            reply=ScriptedReply(calls=(Call(tool="swe_clone", arguments={"ref": "é"}),)),
        ),
        Turn(
            expect=("cloned", Pattern(regex=r"^\d+ files$")),
            absent=("error",),
            reply=ScriptedReply(
                content="done", usage=ScriptedUsage(prompt_tokens=1, completion_tokens=2)
            ),
        ),
    )
)
SYSTEM: JsonValue = {"role": "system", "content": "never do error handling"}
USER: JsonValue = {"role": "user", "content": "fix it"}
CALLED: JsonValue = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "swe_clone", "arguments": "{}"}}
    ],
}


def seen(text: str) -> JsonValue:
    return {"role": "tool", "tool_call_id": "a", "content": text}


async def ask(endpoint: FakeEndpoint, *messages: JsonValue) -> tuple[int, dict[str, JsonValue]]:
    body = {"model": "scripted", "messages": [*messages]}
    url = f"{endpoint.base_url}/chat/completions"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return response.status, await response.json()


def message_of(body: JsonValue) -> str:
    assert isinstance(body, dict)
    assert isinstance(body["error"], dict)
    return str(body["error"]["message"])


async def test_each_turn_is_answered_after_its_observation() -> None:
    async with FakeEndpoint([TWO_TURNS]) as endpoint:
        status, first = await ask(endpoint, SYSTEM, USER)
        assert status == 200
        status, second = await ask(endpoint, SYSTEM, USER, CALLED, seen("cloned\n12 files\n"))
        assert status == 200
    assert first["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1_0",
                        "type": "function",
                        "function": {"name": "swe_clone", "arguments": '{"ref":"é"}'},
                    }
                ],
            },
            "finish_reason": "tool_calls",
        }
    ]
    assert second["usage"] == {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


async def test_the_same_request_gets_the_same_answer_in_any_order() -> None:
    async with FakeEndpoint([TWO_TURNS]) as endpoint:
        second = await ask(endpoint, USER, CALLED, seen("cloned\n12 files"))
        first = await ask(endpoint, USER)
        assert await ask(endpoint, USER, CALLED, seen("cloned\n12 files")) == second
        assert await ask(endpoint, USER) == first
    assert first[1]["usage"] != second[1]["usage"]


async def test_usage_grows_with_the_request() -> None:
    async with FakeEndpoint([TWO_TURNS]) as endpoint:
        _, short = await ask(endpoint, USER)
        _, long = await ask(endpoint, {"role": "system", "content": "x" * 400}, USER)
    assert isinstance(short["usage"], dict)
    assert isinstance(long["usage"], dict)
    assert long["usage"]["prompt_tokens"] == 102
    assert short["usage"]["prompt_tokens"] == 2
    assert long["usage"]["completion_tokens"] == short["usage"]["completion_tokens"]


@pytest.mark.parametrize(
    ("observation", "wrong"),
    [
        ("12 files", "expected 'cloned'"),
        ("cloned\nall 12 files", r"expected /^\d+ files$/"),
        ("cloned\n12 files\nerror", "unwanted 'error'"),
    ],
)
async def test_a_wrong_observation_is_a_conflict_that_says_what_was_there(
    observation: str, wrong: str
) -> None:
    async with FakeEndpoint([TWO_TURNS]) as endpoint:
        status, body = await ask(endpoint, USER, CALLED, seen(observation))
    assert status == 409
    text = message_of(body)
    assert text == f"script mismatch before turn 2: {wrong}; found: {observation}"


async def test_only_the_newest_observation_counts() -> None:
    async with FakeEndpoint([TWO_TURNS]) as endpoint:
        status, body = await ask(
            endpoint, {"role": "user", "content": "fix: cloned 12 files"}, CALLED, seen("nothing")
        )
    assert status == 409
    assert message_of(body).endswith("found: nothing")


async def test_what_was_found_is_bounded() -> None:
    async with FakeEndpoint([TWO_TURNS]) as endpoint:
        _, body = await ask(endpoint, USER, CALLED, seen("x" * 5_000))
    assert message_of(body).partition("found: ")[2] == "x" * 2_000


async def test_a_script_that_is_over_is_a_conflict() -> None:
    async with FakeEndpoint([TWO_TURNS]) as endpoint:
        last: JsonValue = {"role": "assistant", "content": "done"}
        status, body = await ask(endpoint, USER, CALLED, seen("cloned"), last, USER)
    assert status == 409
    assert message_of(body) == "script exhausted: turn 3 asked for, 2 in the script"


async def test_the_client_does_not_repeat_a_conflict_of_the_script() -> None:
    async with FakeEndpoint([TWO_TURNS]) as endpoint:
        profile = ModelProfile(name="s", model="scripted", base_url=endpoint.base_url)
        async with ModelClient(with_key(profile, {})) as shared:
            with pytest.raises(ProviderFault, match="before turn 1: expected 'fix'") as caught:
                await shared.for_episode().create([UserMessage(content="no", source="user")])
    assert (caught.value.kind, caught.value.retryable) == ("provider_reply", False)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("sent", [None, "other words"])
async def test_reasoning_that_was_lost_is_refused(sent: str | None) -> None:
    called = TWO_TURNS.turns[0].reply.model_copy(update={"reasoning": "because"})
    first = TWO_TURNS.turns[0].model_copy(update={"reply": called})
    script = Script(reasoning_required=True, turns=(first, TWO_TURNS.turns[1]))
    assert isinstance(CALLED, dict)
    rest = seen("cloned\n12 files")
    async with FakeEndpoint([script]) as endpoint:
        status, body = await ask(endpoint, USER, {**CALLED, "reasoning_content": sent}, rest)
        assert status == 400
        assert "reasoning_content is missing" in message_of(body)
        kept: JsonValue = {**CALLED, "reasoning_content": "because"}
        assert (await ask(endpoint, USER, kept, rest))[0] == 200


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("turns: [", "line 1: not valid YAML"),
        ("turns: []", "turns: "),
        ("", "is empty"),
        (
            "turns: [{expects: [a], reply: {content: a}}]",
            "unknown key 'turns.0.expects'; did you mean",
        ),
        ("turns: [{expect: [{regex: '('}], reply: {}}]", "no regular expression"),
        ("turns: [{reply: {calls: [{arguments: {}}]}}]", "turns.0.reply.calls.0.tool"),
    ],
)
def test_a_broken_script_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    refused_in_one_line(Script.load, tmp_path / "script.yaml", text, reason)
