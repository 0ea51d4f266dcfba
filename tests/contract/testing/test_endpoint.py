import time

import aiohttp
import pytest
from pydantic import JsonValue

from agent_runner.testing.behaviour import Canned, Stall
from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.listing import ListedModel

USER: JsonValue = {"role": "user", "content": "fix it"}
FINE = Canned({"fine": True})


def called(*ids: str, name: str = "t", arguments: str = "{}") -> JsonValue:
    calls: list[JsonValue] = [
        {"id": each, "type": "function", "function": {"name": name, "arguments": arguments}}
        for each in ids
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(id: str) -> JsonValue:
    return {"role": "tool", "tool_call_id": id, "content": "done"}


async def post(
    endpoint: FakeEndpoint, body: JsonValue, key: str | None = None
) -> tuple[int, JsonValue]:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    url = f"{endpoint.base_url}/chat/completions"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json=body) as response,
    ):
        return response.status, await response.json()


def chat(*messages: JsonValue, **extra: JsonValue) -> JsonValue:
    return {"model": "fake", "messages": [*messages], **extra}


SOUND: dict[str, list[JsonValue]] = {
    "a task": [USER],
    "one call": [USER, called("a"), result("a")],
    "two calls, results in another order": [USER, called("a", "b"), result("b"), result("a")],
    "the same id in another turn": [USER, called("a"), result("a"), called("a"), result("a")],
    "a nudge": [USER, {"role": "assistant", "content": "hm"}, USER],
    "no calls as null": [USER, {"role": "assistant", "content": "hm", "tool_calls": None}, USER],
    "content in parts": [{"role": "user", "content": [{"type": "text", "text": "a"}]}],
}

UNSOUND: dict[str, tuple[list[JsonValue], str]] = {
    "no result at the end": ([USER, called("a")], "no tool message follows"),
    "a user before the result": ([USER, called("a"), USER, result("a")], "no tool message follows"),
    "one of two results": ([USER, called("a", "b"), result("a"), USER], "['b']"),
    "a result without a call": ([USER, result("a")], "answers no open tool call"),
    "a result twice": ([USER, called("a"), result("a"), result("a")], "answers no open tool call"),
    "a result with another id": ([USER, called("a"), result("b")], "answers no open tool call"),
    "an id twice": ([USER, called("a", "a"), result("a")], "stands twice"),
    "arguments cut": (
        [USER, called("a", arguments='{"x": '), result("a")],
        "Invalid tool_calls.function.arguments value, expected JSON",
    ),
    "arguments empty": (
        [USER, called("a", arguments=""), result("a")],
        "Invalid tool_calls.function.arguments value, expected JSON",
    ),
    "arguments that are a list": (
        [USER, called("a", arguments="[1]"), result("a")],
        "expected a JSON object",
    ),
    "arguments with NaN": (
        [USER, called("a", arguments='{"x": NaN}'), result("a")],
        "expected JSON",
    ),
    "a call of another type": (
        [
            USER,
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "a", "type": "x", "function": {"name": "t", "arguments": "{}"}}
                ],
            },
            result("a"),
        ],
        "tool_calls.type",
    ),
    "calls as an empty list": (
        [USER, {"role": "assistant", "content": "a", "tool_calls": []}, USER],
        "tool_calls is empty",
    ),
    "a late system message": (
        [USER, {"role": "system", "content": "b"}],
        "must be at the beginning",
    ),
    "nobody asks": ([{"role": "system", "content": "b"}], "No user query"),
    "a name with a dot": ([USER, called("a", name="functions.t:0"), result("a")], "name value"),
    "an id that is null": (
        [USER, {"role": "assistant", "tool_calls": [{"id": None, "function": {}}]}],
        "tool_calls.0.id",
    ),
    "an empty reply": ([USER, {"role": "assistant", "content": ""}], "neither content"),
    "no content": ([{"role": "user"}], "content is missing"),
    "an unknown role": ([{"role": "robot", "content": "a"}], "unknown role"),
    "no messages": ([], "messages"),
}


def tool(name: str = "t", **parameters: JsonValue) -> JsonValue:
    schema: JsonValue = {"type": "object", **parameters}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


SETTINGS: dict[str, tuple[dict[str, JsonValue], str]] = {
    "a tool choice without tools": ({"tool_choice": "auto"}, "only allowed when tools are given"),
    "parallel calls without tools": ({"parallel_tool_calls": False}, "parallel_tool_calls is only"),
    "no tools at all": ({"tools": []}, "tools is empty"),
    "a tool's name with a dot": ({"tools": [tool("a.b")]}, "Invalid tools.function.name"),
    "a tool twice": ({"tools": [tool(), tool()]}, "stands twice"),
    "parameters that are no object": ({"tools": [tool(type="string")]}, "no object schema"),
    "no room for a reply": ({"max_tokens": 0}, "max_tokens must be at least 1"),
    "a longer reply than there is": ({"max_tokens": 51}, "max_tokens is too large"),
    "a temperature below zero": ({"temperature": -1}, "temperature must be"),
    "too long with its reply": ({"max_tokens": 49}, "maximum context length is 50 tokens"),
}


@pytest.mark.parametrize("name", SETTINGS)
async def test_settings_that_no_endpoint_takes_are_refused(name: str) -> None:
    extra, reason = SETTINGS[name]
    model = ListedModel(id="fake", context_length=50, max_output_length=50)
    async with FakeEndpoint([FINE], models=[model]) as endpoint:
        sound = chat(USER, tools=[tool()], tool_choice="auto", max_tokens=48, temperature=1)
        assert (await post(endpoint, sound))[0] == 200
        status, body = await post(endpoint, chat(USER, **extra))
    assert status == 400
    assert reason in str(body)


async def test_a_body_that_does_not_say_it_is_json_is_refused() -> None:
    async with FakeEndpoint([FINE]) as endpoint, aiohttp.ClientSession() as session:
        url = f"{endpoint.base_url}/chat/completions"
        async with session.post(url, data=b"{}") as response:
            assert response.status == 415


@pytest.mark.parametrize("name", SOUND)
async def test_a_sound_history_is_answered(name: str) -> None:
    async with FakeEndpoint([FINE]) as endpoint:
        assert await post(endpoint, chat(*SOUND[name])) == (200, {"fine": True})


@pytest.mark.parametrize("name", UNSOUND)
async def test_a_history_that_does_not_hold_together_is_refused(name: str) -> None:
    messages, reason = UNSOUND[name]
    async with FakeEndpoint([FINE]) as endpoint:
        status, body = await post(endpoint, chat(*messages))
    assert status == 400
    assert reason in str(body)


async def test_streaming_is_refused() -> None:
    async with FakeEndpoint([FINE]) as endpoint:
        assert (await post(endpoint, chat(USER, stream=True)))[0] == 400


async def test_a_body_that_is_no_request_is_refused() -> None:
    async with FakeEndpoint([FINE]) as endpoint:
        assert (await post(endpoint, ["no"]))[0] == 400


async def test_an_unknown_model_is_not_found() -> None:
    async with FakeEndpoint([FINE], models=["one", "two"]) as endpoint:
        assert await post(endpoint, chat(USER)) == (404, {"detail": "model not found: fake"})


@pytest.mark.parametrize(("key", "status"), [("right", 200), ("wrong", 401), (None, 401)])
async def test_a_configured_key_is_asked_for(key: str | None, status: int) -> None:
    async with FakeEndpoint([FINE], api_key="right") as endpoint:
        assert (await post(endpoint, chat(USER), key))[0] == status


async def test_models_are_listed() -> None:
    async with (
        FakeEndpoint([FINE], models=["one", "two"]) as endpoint,
        aiohttp.ClientSession() as session,
        session.get(f"{endpoint.base_url}/models") as response,
    ):
        listed = await response.json()
    assert [each["id"] for each in listed["data"]] == ["one", "two"]


async def test_behaviours_come_in_order_and_the_last_one_stays() -> None:
    behaviours = [Canned(1, 201), Canned(2, 202), Canned(3, 203)]
    async with FakeEndpoint(behaviours) as endpoint:
        assert (await post(endpoint, chat(called("a"))))[0] == 400
        statuses = [(await post(endpoint, chat(USER)))[0] for _ in range(4)]
    assert statuses == [201, 202, 203, 203]


async def test_every_request_is_kept_with_its_headers() -> None:
    async with FakeEndpoint([FINE]) as endpoint:
        await post(endpoint, chat(USER), "k")
    (received,) = endpoint.requests
    assert (received.method, received.path) == ("POST", "/v1/chat/completions")
    assert received.headers["authorization"] == "Bearer k"
    assert received.chat().newest == "fix it"


async def test_an_answer_can_be_late() -> None:
    async with FakeEndpoint([Canned({}, delay_s=0.05)]) as endpoint:
        began = time.monotonic()
        await post(endpoint, chat(USER))
    assert time.monotonic() - began >= 0.05


async def test_a_stalled_request_does_not_hold_up_the_end() -> None:
    async with aiohttp.ClientSession() as session, FakeEndpoint([Stall()]) as endpoint:
        url = f"{endpoint.base_url}/chat/completions"
        with pytest.raises(TimeoutError):
            await session.post(url, json=chat(USER), timeout=aiohttp.ClientTimeout(total=0.05))
        began = time.monotonic()
    assert time.monotonic() - began < 0.5


async def test_it_listens_on_loopback_only_and_no_longer_than_its_block() -> None:
    async with FakeEndpoint([FINE]) as endpoint:
        assert endpoint.base_url.startswith("http://127.0.0.1:")
    with pytest.raises(aiohttp.ClientConnectionError):
        await post(endpoint, chat(USER))


def test_an_endpoint_needs_a_behaviour() -> None:
    with pytest.raises(ValueError, match="without a behaviour"):
        FakeEndpoint([])
