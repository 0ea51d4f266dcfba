"""What goes over the wire and what is kept of the reply; a key reaches nobody else."""

import asyncio
from pathlib import Path

import pytest
from autogen_core import FunctionCall
from autogen_core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)
from pydantic import BaseModel, JsonValue

from agent_runner.errors import ProviderFault
from agent_runner.provider.catalog import ModelCatalog
from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, with_key
from agent_runner.provider.records import RepairKind, Usage
from agent_runner.testing.behaviour import Canned
from agent_runner.testing.endpoint import FakeEndpoint
from tests.contract.provider.asked import GOOD, PATIENT, TASK, TOOLS, Open, completion


async def test_what_goes_over_the_wire(opened: Open) -> None:
    profile = {"temperature": 0.5, "max_tokens": 77, "extra_body": {"seed": 3}}
    async with opened(GOOD, **profile) as (client, endpoint):
        await client.create(TASK, tools=TOOLS, extra_create_args={"top_p": 0.9})
    sent = endpoint.requests[0].chat().model_dump(exclude_unset=True)
    assert sent == {
        "model": "fake",
        "messages": (
            {"role": "system", "content": "sys"},
            {"role": "user", "content": "fix it"},
        ),
        "max_tokens": 77,
        "temperature": 0.5,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "swe_clone",
                    "description": "clones",
                    "parameters": {"type": "object", "properties": {}},
                },
            }
        ],
        "parallel_tool_calls": False,
        "seed": 3,
        "top_p": 0.9,
    }


async def test_nothing_of_the_openai_environment_is_sent(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaks = ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "WEBHOOK_SECRET")
    for name in leaks:
        monkeypatch.setenv(f"OPENAI_{name}", f"leaked-{name}")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-More: leaked\nAuthorization: Bearer leaked")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/leaked")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with opened(GOOD, key="the-key") as (client, endpoint):
        await client.create(TASK)
    headers = endpoint.requests[0].headers
    assert headers["authorization"] == "Bearer the-key"
    assert "leaked" not in str(headers)
    assert not {"openai-organization", "openai-project"} & headers.keys()


async def test_a_netrc_does_not_replace_the_key(
    opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password leaked\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # As for an endpoint elsewhere, for which the environment counts.
    monkeypatch.setattr("agent_runner.provider.endpoint.is_loopback", lambda url: False)
    async with opened(GOOD, key="the-key") as (client, endpoint):
        await client.create(TASK)
    assert endpoint.requests[0].headers["authorization"] == "Bearer the-key"


async def test_parameters_go_as_the_endpoint_takes_them(opened: Open) -> None:
    profile = {
        "temperature": 0.5,
        "seed": 7,
        "max_tokens": 77,
        "max_tokens_as": "max_completion_tokens",
        "omit": ["temperature", "parallel_tool_calls"],
    }
    async with opened(GOOD, **profile) as (client, endpoint):
        await client.create(TASK, tools=TOOLS)
    sent = endpoint.requests[0].chat().model_dump(exclude_unset=True)
    assert sent.keys() == {"model", "messages", "tools", "max_completion_tokens", "seed"}
    assert (sent["max_completion_tokens"], sent["seed"]) == (77, 7)


async def test_the_key_of_a_profile_does_not_reach_another_origin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "openai-key")
    home = ModelProfile(name="a", model="fake", base_url="https://example.org/v1", key_env="A_KEY")
    catalog = ModelCatalog(default="a", models={"a": home})
    async with FakeEndpoint([GOOD]) as endpoint:
        resolved = catalog.resolve("a", endpoint.base_url, {"A_KEY": "key-of-a"})
        async with ModelClient(resolved) as shared:
            await shared.for_episode().create(TASK)
    assert endpoint.requests[0].headers["authorization"] == "Bearer none"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_origin_is_not_followed(status: int, opened: Open) -> None:
    async with FakeEndpoint([GOOD]) as other:
        target = {"Location": f"{other.base_url}/chat/completions"}
        async with opened(Canned(status=status, headers=target)) as (client, _):
            with pytest.raises(ProviderFault, match=str(status)):
                await client.create(TASK)
    assert other.requests == []


async def test_a_key_that_the_endpoint_repeats_is_hidden(opened: Open) -> None:
    answer = Canned({"error": {"message": "wrong key: tell-nobody"}}, 401)
    async with opened(answer, key="tell-nobody") as (client, _):
        with pytest.raises(ProviderFault) as caught:
            await client.create(TASK)
        records = client.take_records()
    assert "tell-nobody" not in f"{caught.value} {records}"


async def test_the_record_holds_what_the_reply_held(opened: Open) -> None:
    message: JsonValue = {
        "content": "I clone.",
        "reasoning_content": "because",
        "tool_calls": [{"id": None, "function": {"name": "functions.swe_clone:0"}}],
    }
    answer = Canned(
        {
            "model": "other",
            "choices": [{"message": message, "finish_reason": "tool_calls"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 4},
        },
        headers={"X-Chutes-InvocationID": "inv-9"},
    )
    async with opened(answer) as (client, _):
        result = await client.create(TASK, tools=TOOLS)
        (record,) = client.take_records()
        assert client.take_records() == ()
    assert isinstance(result.content, list)
    assert result.content[0].name == "swe_clone"
    assert (record.content, record.reasoning) == ("I clone.", "because")
    assert (record.finish_reason, record.model) == ("tool_calls", "other")
    assert record.invocation_id == record.attempts[0].invocation_id == "inv-9"
    assert record.usage == Usage(prompt_tokens=9, completion_tokens=4)
    assert record.repairs == {
        RepairKind.CALL_ID_MISSING: 1,
        RepairKind.TOOL_NAME: 1,
        RepairKind.ARGUMENTS_EMPTY: 1,
    }


async def test_a_repaired_call_is_taken_back_by_a_strict_endpoint(opened: Open) -> None:
    call: JsonValue = {"id": None, "function": {"name": "functions.rm x:1", "arguments": '{"cut'}}
    broken = Canned({"choices": [{"message": {"content": None, "tool_calls": [call]}}]})
    async with opened(broken, completion("ok")) as (client, _):
        first = await client.create(TASK, tools=TOOLS)
        history = [*TASK, *_answered(first)]
        assert (await client.create(history, tools=TOOLS)).content == "ok"


async def test_episodes_share_the_connection_and_not_the_records() -> None:
    async with FakeEndpoint([GOOD]) as endpoint:
        profile = ModelProfile(name="scripted", model="fake", base_url=endpoint.base_url)
        async with ModelClient(with_key(profile, {}), PATIENT) as shared:
            one, two = shared.for_episode(), shared.for_episode()
            async with asyncio.TaskGroup() as group:
                for client in (one, two, two):
                    group.create_task(client.create(TASK))
            assert (len(one.take_records()), len(two.take_records())) == (1, 2)
            assert two.total_usage().prompt_tokens == 2 * one.total_usage().prompt_tokens > 0
            await one.close()
            assert (await two.create(TASK)).content == "done"


async def test_a_stream_is_the_whole_result(opened: Open) -> None:
    async with opened(GOOD) as (client, _):
        (result,) = [each async for each in client.create_stream(TASK)]
    assert isinstance(result, CreateResult)
    assert result.content == "done"


async def test_json_mode_is_asked_for_and_a_schema_is_refused(opened: Open) -> None:
    async with opened(GOOD) as (client, endpoint):
        await client.create(TASK, json_output=True)
        with pytest.raises(ValueError, match="structured output"):
            await client.create(TASK, json_output=BaseModel)
    assert b'"response_format":{"type":"json_object"}' in endpoint.requests[0].body


async def test_remaining_tokens_shrink_with_the_prompt(opened: Open) -> None:
    async with opened(GOOD, context_tokens=1_000) as (client, _):
        longer = [*TASK, UserMessage(content="x" * 400, source="user")]
        assert client.count_tokens(longer) - client.count_tokens(TASK) >= 100
        assert client.remaining_tokens(TASK) == 1_000 - client.count_tokens(TASK)
        assert client.count_tokens(TASK, tools=TOOLS) > client.count_tokens(TASK)


def _answered(result: CreateResult) -> list[LLMMessage]:
    assert isinstance(result.content, list)
    results = [
        FunctionExecutionResult(content="no", name=call.name, call_id=call.id)
        for call in result.content
        if isinstance(call, FunctionCall)
    ]
    return [
        AssistantMessage(content=result.content, source="swe", thought=result.thought),
        FunctionExecutionResultMessage(content=results),
    ]
