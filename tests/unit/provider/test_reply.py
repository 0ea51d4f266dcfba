import json

import pytest
from autogen_core import FunctionCall
from pydantic import JsonValue

from agent_runner.provider.faults import AnswerFault, ContextOverflow
from agent_runner.provider.records import RepairKind, Usage
from agent_runner.provider.reply import CUT_ANSWER, Reply, UnusableReply, parse_reply
from agent_runner.provider.salvage.calls import INVALID_ARGUMENTS_KEY
from agent_runner.provider.salvage.offer import OfferedTool

NOTHING: dict[str, JsonValue] = {"type": "object", "properties": {}}
TOOLS = {name: OfferedTool(name, NOTHING) for name in ("swe_clone", "swe_pytest")}


def body(message: JsonValue, finish_reason: JsonValue = "stop", **extra: JsonValue) -> bytes:
    choice: JsonValue = {"index": 0, "message": message, "finish_reason": finish_reason}
    return json.dumps({"id": "c1", "model": "m", "choices": [choice], **extra}).encode()


def call(
    arguments: JsonValue = "{}", name: JsonValue = "swe_clone", id: JsonValue = "c"
) -> JsonValue:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def with_calls(*calls: JsonValue) -> Reply:
    message: JsonValue = {"role": "assistant", "content": None, "tool_calls": [*calls]}
    return parse_reply(body(message, "tool_calls"), None, TOOLS)


def only_call(*calls: JsonValue) -> FunctionCall:
    content = with_calls(*calls).result.content
    assert isinstance(content, list)
    return content[0]


UNUSABLE = {
    "empty body": b"",
    "HTML": b"<html><body>502 Bad Gateway</body></html>",
    "cut JSON": b'{"choices": [{"message": {"content": "he',
    "not UTF-8": b'{"choices": [{"message": {"content": "\xff"}}]}',
    "a list": b"[]",
    "choices empty": b'{"choices": []}',
    "choices null": b'{"choices": null}',
    "no choices": b'{"id": "x"}',
    "error with 200": b'{"error": {"message": "overloaded", "code": "busy"}}',
    "detail with 200": b'{"detail": "No instances available"}',
    "message null": b'{"choices": [{"message": null}]}',
    "content null": body({"content": None}),
    "content empty": body({"content": ""}),
    "content blank": body({"content": " \n"}),
    "only reasoning": body({"content": "", "reasoning_content": "hm"}, "stop"),
    "nothing, cut by length": body({"content": ""}, "length"),
    "no calls in the list": body({"content": "", "tool_calls": []}, "tool_calls"),
    "a call without a name": body({"content": "", "tool_calls": [call(name=None)]}),
    "finish reason error": body({"content": "par"}, "error"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_reply_is_a_typed_fault_that_may_be_retried(name: str) -> None:
    with pytest.raises(UnusableReply) as caught:
        parse_reply(UNUSABLE[name], "inv-1", TOOLS)
    fault = caught.value
    assert (fault.kind, fault.retryable, fault.status) == ("provider_reply", True, 200)
    assert fault.invocation_id == "inv-1"
    assert "\n" not in fault.message


def test_an_unusable_reply_keeps_what_it_cost() -> None:
    with pytest.raises(UnusableReply) as caught:
        parse_reply(body({"content": ""}, usage={"prompt_tokens": 7}), None, TOOLS)
    assert caught.value.usage == Usage(prompt_tokens=7)


def test_a_body_of_no_use_keeps_what_it_cost() -> None:
    with pytest.raises(UnusableReply) as caught:
        parse_reply(b'{"choices": [null], "usage": {"completion_tokens": 7}}', None, TOOLS)
    assert caught.value.usage == Usage(completion_tokens=7)


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [(401, "provider_auth", False), (402, "provider_quota", False), (404, "provider_model", False),
     (429, "provider_unavailable", True), (502, "provider_unavailable", True)],
)  # fmt: skip
def test_an_error_that_comes_with_200_is_what_its_code_says(
    code: int, kind: str, *, retryable: bool
) -> None:
    told = json.dumps({"error": {"message": "words", "code": code}}).encode()
    with pytest.raises(AnswerFault) as caught:
        parse_reply(told, "inv-1", TOOLS)
    fault = caught.value
    assert (fault.kind, fault.status, fault.retryable) == (kind, code, retryable)
    assert fault.message.endswith(": words [call inv-1]")


def test_a_reply_cut_before_it_said_anything_is_the_models_own() -> None:
    reply = parse_reply(body({"content": None, "reasoning": "hm"}, "length"), None, TOOLS)
    assert (reply.content, reply.reasoning) == ("", "hm")
    assert reply.result.content == CUT_ANSWER
    assert reply.repairs == {RepairKind.ANSWER_CUT: 1}


def test_an_overflow_told_with_200_is_an_overflow() -> None:
    text = b'{"error": {"message": "maximum context length is 4096 tokens"}}'
    with pytest.raises(ContextOverflow):
        parse_reply(text, None, TOOLS)


def test_text_and_its_fields() -> None:
    usage: JsonValue = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    raw = body({"content": "hi", "reasoning_content": "hm"}, "length", usage=usage, extra=[1])
    reply = parse_reply(raw, None, TOOLS)
    assert (reply.content, reply.reasoning, reply.finish_reason) == ("hi", "hm", "length")
    assert (reply.model, reply.invocation_id, reply.repairs) == ("m", "c1", {})
    assert reply.usage == Usage(
        prompt_tokens=10, completion_tokens=5, cached_tokens=8, reasoning_tokens=2
    )
    assert (reply.result.content, reply.result.finish_reason) == ("hi", "length")
    assert reply.result.thought == "<think chars=2>hm</think>"


@pytest.mark.parametrize("usage", [None, {}, [], {"prompt_tokens": None, "completion_tokens": "x"}])
def test_missing_usage_is_unknown_and_loses_no_answer(usage: JsonValue) -> None:
    reply = parse_reply(body({"content": "hi"}, usage=usage), None, TOOLS)
    assert reply.usage == Usage()
    assert reply.result.usage.prompt_tokens == 0


@pytest.mark.parametrize("key", ["prompt_cache_hit_tokens", "cached_tokens"])
def test_cached_tokens_are_read_in_other_spellings(key: str) -> None:
    reply = parse_reply(body({"content": "hi"}, usage={key: 3}), None, TOOLS)
    assert reply.usage.cached_tokens == 3


@pytest.mark.parametrize("reason", [None, 7, "eos"])
def test_an_odd_finish_reason_is_unknown(reason: JsonValue) -> None:
    reply = parse_reply(body({"content": "hi"}, reason), None, TOOLS)
    assert reply.result.finish_reason == "unknown"


def test_content_in_parts_is_joined() -> None:
    parts: JsonValue = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert parse_reply(body({"content": parts}), None, TOOLS).content == "ab"


def test_reasoning_is_also_read_under_its_short_name() -> None:
    assert parse_reply(body({"content": "a", "reasoning": "r"}), None, TOOLS).reasoning == "r"


def test_good_calls_stay_as_they_are() -> None:
    reply = with_calls(call('{"a": 1}', id="functions.swe_clone:0"), call("{}", "swe_pytest", "d"))
    assert reply.result.content == [
        FunctionCall(id="functions.swe_clone:0", name="swe_clone", arguments='{"a": 1}'),
        FunctionCall(id="d", name="swe_pytest", arguments="{}"),
    ]
    assert reply.result.finish_reason == "function_calls"
    assert reply.repairs == {}


@pytest.mark.parametrize(
    ("given", "kept", "repair"),
    [
        ("", "{}", RepairKind.ARGUMENTS_EMPTY),
        (" ", "{}", RepairKind.ARGUMENTS_EMPTY),
        (None, "{}", RepairKind.ARGUMENTS_EMPTY),
        ("null", "{}", RepairKind.ARGUMENTS_EMPTY),
        ({"a": "ü"}, '{"a":"ü"}', RepairKind.ARGUMENTS_NOT_TEXT),
    ],
)
def test_arguments_are_made_text(given: JsonValue, kept: str, repair: RepairKind) -> None:
    assert only_call(call(given)).arguments == kept
    assert with_calls(call(given)).repairs == {repair: 1}


@pytest.mark.parametrize(
    "given",
    [
        '{"patch": "diff --gi',
        '["a"]',
        '{"a": NaN}',
        '{"a": "\\ud800"}',
        5,
    ],
)
def test_arguments_that_are_no_object_are_wrapped(given: JsonValue) -> None:
    tree = json.loads(only_call(call(given)).arguments)
    assert tree == {INVALID_ARGUMENTS_KEY: given if isinstance(given, str) else "5"}
    assert with_calls(call(given)).repairs == {RepairKind.ARGUMENTS_INVALID: 1}


def test_wrapped_arguments_are_bounded() -> None:
    tree = json.loads(only_call(call("{" + "x" * 10_000)).arguments)
    assert len(tree[INVALID_ARGUMENTS_KEY]) == 4_000


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("functions.swe_clone:0", "swe_clone"),
        ("functions.swe_clone", "swe_clone"),
        ("swe_clone:12", "swe_clone"),
        ("rm -rf /", "rm_-rf__"),
        ("n" * 100, "n" * 64),
    ],
)
def test_names_are_made_sendable(given: str, name: str) -> None:
    assert only_call(call(name=given)).name == name
    assert with_calls(call(name=given)).repairs == {RepairKind.TOOL_NAME: 1}


def test_an_unknown_tool_keeps_its_name() -> None:
    assert only_call(call(name="open_file")).name == "open_file"


@pytest.mark.parametrize("given", [None, "", 3])
def test_a_missing_id_is_made(given: JsonValue) -> None:
    assert only_call(call(id=given)).id.startswith("call_")
    assert with_calls(call(id=given)).repairs == {RepairKind.CALL_ID_MISSING: 1}


def test_a_repeated_id_is_replaced() -> None:
    reply = with_calls(call(id="x"), call(id="x"))
    assert isinstance(reply.result.content, list)
    assert len({each.id for each in reply.result.content if isinstance(each, FunctionCall)}) == 2
    assert reply.repairs == {RepairKind.CALL_ID_REPEATED: 1}
