import asyncio
import re
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from aiohttp import web
from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import ToolSchema
from pydantic import BaseModel, JsonValue, SecretStr

from agent_runner.errors import ProviderFault
from agent_runner.provider import call
from agent_runner.provider.catalog import ModelCatalog
from agent_runner.provider.client import ModelClient
from agent_runner.provider.episode_client import EpisodeClient
from agent_runner.provider.faults import ContextOverflow
from agent_runner.provider.profile import ModelProfile, ResolvedModel, with_key
from agent_runner.provider.records import RepairKind, Usage
from agent_runner.provider.retries import RetryPolicy
from agent_runner.testing.behaviour import Behaviour, Canned, Drop, Stall
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
_DONE: JsonValue = {"choices": [{"message": {"content": "done"}}]}


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


SURVIVED: dict[str, Behaviour] = {
    "408": Canned(status=408),
    "409": Canned(status=409),
    "425": Canned(status=425),
    "429": Canned({"detail": "Infrastructure is at maximum capacity"}, 429),
    "500": Canned({"detail": "exhausted all available targets"}, 500),
    "502 HTML": Canned(b"<html>Bad Gateway</html>", 502, {"Content-Type": "text/html"}),
    "503": Canned({"detail": "No instances available (yet) for chute_id='1'"}, 503),
    "closed": Drop(),
    "closed in the middle": Drop(b'{"choices": ['),
    "choices empty": Canned({"choices": []}),
    "choices null": Canned({"choices": None}),
    "error with 200": Canned({"error": {"message": "oops"}}),
    "detail with 200": Canned({"detail": "oops"}),
    "HTML with 200": Canned(b"<html>hello</html>", 200, {"Content-Type": "text/html"}),
    "cut JSON": Canned(b'{"choices": [{"mess'),
    "empty body": Canned(b""),
    "empty body with 204": Canned(b"", 204),
    "empty reply": completion(""),
}


@pytest.mark.parametrize("name", SURVIVED)
async def test_a_passing_failure_is_tried_again_and_recorded(name: str, opened: Open) -> None:
    async with opened(SURVIVED[name], GOOD) as (client, endpoint):
        result = await client.create(TASK)
        (record,) = client.take_records()
    assert result.content == "done"
    assert len(endpoint.requests) == 2
    assert endpoint.requests[0].body == endpoint.requests[1].body
    failed, accepted = record.attempts
    assert failed.error
    assert (accepted.status, accepted.error) == (200, None)
    assert record.accepted


@pytest.mark.parametrize("stalled", [Stall(), Stall(drip_s=0.02)], ids=["silent", "dripping"])
async def test_a_stalled_answer_is_given_up_and_tried_again(stalled: Stall, opened: Open) -> None:
    async with opened(stalled, GOOD, timeout_s=0.15) as (client, _):
        result = await client.create(TASK)
        (record,) = client.take_records()
    assert result.content == "done"
    assert record.attempts[0].error is not None
    assert "no whole answer in 0.15 s" in record.attempts[0].error
    assert record.attempts[0].duration_s == pytest.approx(0.15, abs=0.1)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Canned({"error": {"message": "bad request"}}, 400), "provider_reply"),
        (Canned({"detail": "no key"}, 401), "provider_auth"),
        (Canned({"detail": {"message": "Quota exceeded"}}, 402), "provider_quota"),
        (Canned({"detail": "no"}, 403), "provider_auth"),
        (Canned({"detail": "model not found: fake"}, 404), "provider_model"),
        (Canned({}, 409, {"x-should-retry": "false"}), "provider_reply"),
    ],
)
async def test_a_lasting_failure_is_not_tried_again(
    answer: Canned, kind: str, opened: Open
) -> None:
    async with opened(answer) as (client, endpoint):
        with pytest.raises(ProviderFault) as caught:
            await client.create(TASK)
        (record,) = client.take_records()
    assert (caught.value.kind, caught.value.retryable) == (kind, False)
    assert caught.value.status == answer.status
    assert len(endpoint.requests) == len(record.attempts) == 1
    assert not record.accepted


async def test_context_overflow_is_no_fault_and_not_tried_again(opened: Open) -> None:
    text = "Invalid request: maximum context length is 75000 tokens"
    async with opened(Canned({"detail": text}, 400)) as (client, endpoint):
        with pytest.raises(ContextOverflow, match="75000"):
            await client.create(TASK)
        (record,) = client.take_records()
    assert len(endpoint.requests) == 1
    assert record.attempts[0].status == 400


async def test_retries_end_after_so_many_attempts(opened: Open) -> None:
    policy = RetryPolicy(attempts=4, base_wait_s=0.001)
    async with opened(Canned(status=503), retries=policy) as (client, endpoint):
        with pytest.raises(ProviderFault) as caught:
            await client.create(TASK)
        (record,) = client.take_records()
    assert (caught.value.kind, caught.value.retryable) == ("provider_unavailable", True)
    assert [attempt.status for attempt in record.attempts] == [503] * 4
    assert len(endpoint.requests) == 4


async def test_useless_replies_are_bought_less_often(opened: Open) -> None:
    policy = RetryPolicy(attempts=9, unusable_attempts=2, base_wait_s=0.001)
    async with opened(Canned(status=503), Canned(b""), retries=policy) as (client, endpoint):
        with pytest.raises(ProviderFault) as caught:
            await client.create(TASK)
    assert (caught.value.kind, caught.value.status) == ("provider_reply", 200)
    assert len(endpoint.requests) == 3


async def test_no_one_listening_is_unavailable() -> None:
    async with FakeEndpoint([GOOD]) as gone:
        url = gone.base_url
    profile = ModelProfile(name="fake", model="fake", base_url=url)
    policy = RetryPolicy(attempts=2, base_wait_s=0.001)
    async with ModelClient(with_key(profile, {}), policy) as shared:
        with pytest.raises(ProviderFault) as caught:
            await shared.for_episode().create(TASK)
    assert (caught.value.kind, caught.value.status) == ("provider_unavailable", None)


async def test_retry_after_is_honoured_and_counted_as_throttling(opened: Open) -> None:
    async with opened(Canned(status=429, headers={"Retry-After": "0.15"}), GOOD) as (client, _):
        began = time.monotonic()
        await client.create(TASK)
        waited_s = time.monotonic() - began
        (record,) = client.take_records()
    assert waited_s >= 0.15
    assert 0.15 <= record.throttle_wait_s <= record.duration_s <= waited_s + 0.001


async def test_a_retry_after_beyond_patience_ends_the_call_at_once(opened: Open) -> None:
    policy = RetryPolicy(patience_s=1, base_wait_s=0.001)
    answer = Canned(status=429, headers={"Retry-After": "60"})
    async with opened(answer, retries=policy) as (client, endpoint):
        with pytest.raises(ProviderFault):
            await client.create(TASK)
    assert len(endpoint.requests) == 1


async def test_a_missing_instance_has_a_patience_of_its_own_and_no_number_of_attempts(
    opened: Open,
) -> None:
    none = Canned({"detail": "No instances available (yet) for chute_id='1'"}, 503)
    policy = RetryPolicy(
        attempts=2, patience_s=0, no_instances_patience_s=30, base_wait_s=0.001, max_wait_s=0.001
    )
    async with opened(*[none] * 6, GOOD, retries=policy) as (client, _):
        assert (await client.create(TASK)).content == "done"
    short = policy.model_copy(update={"patience_s": 30, "no_instances_patience_s": 0.05})
    async with opened(none, retries=short) as (client, _):
        began = time.monotonic()
        with pytest.raises(ProviderFault, match="No instances"):
            await client.create(TASK)
        assert time.monotonic() - began < 5


async def test_waits_and_failed_attempts_are_the_providers_lateness_and_the_answer_is_not(
    opened: Open,
) -> None:
    late, answer = Canned(status=500, delay_s=0.15), Canned(_DONE, delay_s=0.2)
    async with opened(late, answer) as (client, _):
        began_s = time.monotonic()
        running = asyncio.create_task(client.create(TASK))
        await asyncio.sleep(0.05)
        assert 0 < client.throttled_s <= time.monotonic() - began_s
        await running
        (record,) = client.take_records()
    failed, accepted = record.attempts
    assert failed.duration_s >= 0.15
    assert record.throttle_wait_s >= failed.duration_s + accepted.waited_s - 0.01
    assert record.duration_s - record.throttle_wait_s == pytest.approx(
        accepted.duration_s, abs=0.01
    )
    assert accepted.duration_s >= 0.2
    assert client.throttled_s == pytest.approx(record.throttle_wait_s, abs=0.01)


async def test_all_clients_of_an_endpoint_and_key_stand_at_one_gate() -> None:
    busy = Announced(Canned(status=429, headers={"Retry-After": "0.3"}))
    async with FakeEndpoint([busy, Canned(_DONE)], models=["fake"]) as endpoint:
        profile = ModelProfile(name="f", model="fake", base_url=endpoint.base_url)
        other = ResolvedModel(profile=profile, api_key=SecretStr("another key"))
        async with (
            ModelClient(with_key(profile, {}), PATIENT) as one,
            ModelClient(with_key(profile, {}), PATIENT) as two,
            ModelClient(other, PATIENT) as three,
        ):
            assert one.gate is two.gate is not three.gate
            first = asyncio.create_task(one.for_episode().create(TASK))
            await busy.reached.wait()
            await asyncio.sleep(0.05)
            began = time.monotonic()
            await three.for_episode().create(TASK)
            assert time.monotonic() - began < 0.2
            client = two.for_episode()
            await client.create(TASK)
            assert client.take_records()[0].throttle_wait_s > 0.1
            await first


async def test_a_refused_key_stops_every_call_that_shares_it_without_a_request() -> None:
    policy = RetryPolicy(base_wait_s=60, max_wait_s=60)
    broken = Announced(Canned(status=500))
    async with FakeEndpoint(
        [broken, Canned({"detail": "bad key"}, 401)], models=["fake"]
    ) as endpoint:
        profile = ModelProfile(name="f", model="fake", base_url=endpoint.base_url)
        async with ModelClient(with_key(profile, {}), policy) as shared:
            sleeping = asyncio.create_task(shared.for_episode().create(TASK))
            await broken.reached.wait()
            await asyncio.sleep(0.05)
            for _ in range(3):
                with pytest.raises(ProviderFault, match="bad key"):
                    await shared.for_episode().create(TASK)
            async with asyncio.timeout(1):
                with pytest.raises(ProviderFault, match="bad key"):
                    await sleeping
            assert len(endpoint.requests) == 2
            refusal = shared.gate.refusals.find("fake")
            assert refusal is not None
            assert refusal.kind == "provider_auth"


async def test_a_long_wait_says_for_whom_and_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "TOLD_AFTER_S", 0.1)
    told: list[str] = []
    policy = RetryPolicy(base_wait_s=0.001)
    busy = Canned({"detail": "at capacity"}, 429, {"Retry-After": "0.2"})
    async with FakeEndpoint([busy, Canned(_DONE)], models=["fake"]) as endpoint:
        profile = ModelProfile(name="f", model="fake", base_url=endpoint.base_url)
        async with ModelClient(with_key(profile, {}), policy) as shared:
            await shared.for_episode(tell=told.append).create(TASK)
    (line,) = told
    assert re.match(r"waiting for 127.0.0.1:\d+: 429 .*at capacity.*; next try in 0 s", line)


async def test_waits_are_bounded_by_the_policy(opened: Open) -> None:
    policy = RetryPolicy(attempts=8, base_wait_s=1000, max_wait_s=0.002)
    async with opened(Canned(status=503), retries=policy) as (client, _):
        with pytest.raises(ProviderFault):
            await client.create(TASK)
        (record,) = client.take_records()
    assert 0 < record.throttle_wait_s < 0.5


@pytest.mark.parametrize("how", ["task", "token"])
@pytest.mark.parametrize("answer", [Stall(), Canned(status=503)], ids=["asking", "waiting"])
async def test_cancellation_returns_at_once_and_leaves_no_task(
    how: str, answer: Behaviour, opened: Open
) -> None:
    policy = RetryPolicy(base_wait_s=100, max_wait_s=100)
    announced = Announced(answer)
    async with opened(announced, retries=policy) as (client, _):
        token = CancellationToken()
        running = asyncio.create_task(client.create(TASK, cancellation_token=token))
        await announced.reached.wait()
        await asyncio.sleep(0.02)
        began = time.monotonic()
        if how == "token":
            token.cancel()
        else:
            running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert time.monotonic() - began < 0.2
        (record,) = client.take_records()
        assert record.attempts
        assert not record.accepted
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_cancelled_token_starts_nothing(opened: Open) -> None:
    async with opened(GOOD) as (client, endpoint):
        token = CancellationToken()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await client.create(TASK, cancellation_token=token)
    assert endpoint.requests == []


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
