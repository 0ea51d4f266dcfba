"""Replies nobody has seen: any call in any form, anything around it, and bytes of any kind."""

import asyncio
import json

import pytest
from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from agent_runner.errors import ProviderFault
from agent_runner.provider.faults import ContextOverflow
from agent_runner.provider.messages import wire_messages
from agent_runner.provider.profile import ReasoningPolicy
from agent_runner.provider.reply import Reply, parse_reply
from agent_runner.testing.chat import Chat
from agent_runner.testing.listing import ListedModel
from agent_runner.testing.strictness import complaint
from tests.corpora.replies.corpus import cases, offered
from tests.corpora.replies.generate import AFTER, AROUND, CALL, CALLS, MARKUP, PROSE, TABLE, TEXT
from tests.corpora.replies.render import RENDERINGS, Rendering, Written

OFFER = {**asyncio.run(offered()), TABLE.name: TABLE}
QUICK = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
FORMS = pytest.mark.parametrize("form", RENDERINGS, ids=lambda form: form.name)


def body(
    content: str | None, reasoning: str | None = None, finish: str = "stop", **more: JsonValue
) -> bytes:
    message: JsonValue = {"content": content, "reasoning_content": reasoning, **more}
    choice: JsonValue = {"message": message, "finish_reason": finish}
    return json.dumps({"choices": [choice]}).encode()


def made(reply: Reply) -> list[Written]:
    content = reply.result.content
    if isinstance(content, str):
        return []
    return [(call.name, json.loads(call.arguments)) for call in content]


def is_writable(form: Rendering, calls: list[Written]) -> bool:
    """Whether the form can say these calls at all: what is not escaped may not hold its tags."""
    values = json.dumps([arguments for _, arguments in calls], ensure_ascii=False)
    return not any(tag in values for tag in form.tags)


def refusal(reply: Reply) -> str | None:
    """What a strict endpoint has against the reply in the next request."""
    result = reply.result
    history: list[LLMMessage] = [UserMessage(content="do it", source="user")]
    history.append(
        AssistantMessage(content=result.content, thought=result.thought, source="engineer")
    )
    if isinstance(result.content, str):
        history.append(UserMessage(content="go on", source="user"))
    else:
        results = [
            FunctionExecutionResult(content="ok", name=call.name, call_id=call.id, is_error=False)
            for call in result.content
        ]
        history.append(FunctionExecutionResultMessage(content=results))
    sent = {"model": "m", "messages": wire_messages(history, ReasoningPolicy())}
    return complaint(Chat.model_validate_json(json.dumps(sent)), ListedModel(id="m"))


@FORMS
@QUICK
@given(calls=CALLS, prose=PROSE)
def test_any_calls_are_recovered_exactly(form: Rendering, calls: list[Written], prose: str) -> None:
    assume(is_writable(form, calls))
    reply = parse_reply(body(prose + form.render(calls)), None, OFFER)
    assert made(reply) == calls
    assert reply.content == prose
    assert refusal(reply) is None


@FORMS
@QUICK
@given(calls=CALLS, prose=PROSE)
def test_any_calls_are_recovered_from_the_reasoning(
    form: Rendering, calls: list[Written], prose: str
) -> None:
    assume(is_writable(form, calls))
    reply = parse_reply(body(None, prose + form.render(calls)), None, OFFER)
    assert made(reply) == calls
    assert (reply.reasoning or "", reply.content) == (prose, "")
    assert refusal(reply) is None


@pytest.mark.parametrize(
    "form", [form for form in RENDERINGS if form.optional_end], ids=lambda form: form.name
)
@QUICK
@given(calls=CALLS, missing=st.integers(1, 3))
def test_calls_that_the_model_did_not_end_are_recovered_exactly(
    form: Rendering, calls: list[Written], missing: int
) -> None:
    assume(is_writable(form, calls))
    text = form.render(calls)
    for end in form.optional_end[:missing]:
        text = text.rstrip().removesuffix(end)
    assert made(parse_reply(body(text), None, OFFER)) == calls


@FORMS
@QUICK
@given(calls=CALLS, prose=PROSE, after=AFTER)
def test_a_call_that_text_follows_is_no_call(
    form: Rendering, calls: list[Written], prose: str, after: str
) -> None:
    text = prose + form.render(calls) + after
    reply = parse_reply(body(text), None, OFFER)
    assert made(reply) == []
    assert reply.content == text


@FORMS
@pytest.mark.parametrize("around", AROUND, ids=lambda around: repr(around[0][:12]))
@settings(QUICK, max_examples=12)
@given(calls=st.lists(CALL, min_size=1, max_size=1))
def test_a_call_that_is_shown_is_no_call(
    form: Rendering, around: tuple[str, str], calls: list[Written]
) -> None:
    text = around[0] + form.render(calls) + around[1]
    # A fence does not begin within a line; it is then the text of a fence that is not closed.
    assert made(parse_reply(body(text), None, OFFER)) == []


@FORMS
@settings(QUICK, max_examples=200)
@given(calls=CALLS, data=st.data())
def test_a_call_that_is_cut_anywhere_runs_nothing_else(
    form: Rendering, calls: list[Written], data: st.DataObject
) -> None:
    assume(is_writable(form, calls))
    text = form.render(calls)
    cut = text[: data.draw(st.integers(1, len(text)))]
    assume(cut.strip())
    reply = parse_reply(body(cut, finish="length"), None, OFFER)
    for (name, arguments), meant in zip(made(reply), calls, strict=False):
        assert name == meant[0]
        assert arguments == meant[1] or OFFER[name].closable
    assert len(made(reply)) <= len(calls)
    assert refusal(reply) is None


@QUICK
@given(call=CALL, markup=TEXT)
def test_structured_calls_are_untouched_whatever_they_hold(call: Written, markup: str) -> None:
    arguments = json.dumps(call[1], ensure_ascii=False)
    wire: JsonValue = [{"id": "c1", "function": {"name": call[0], "arguments": arguments}}]
    reply = parse_reply(body(markup, f"x{markup}", tool_calls=wire), None, OFFER)
    assert made(reply) == [call]
    assert (reply.content, reply.reasoning, reply.repairs) == (markup, f"x{markup}", {})
    content = reply.result.content
    assert not isinstance(content, str)
    assert content[0].arguments == arguments
    assert refusal(reply) is None


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *MARKUP,
            *(form.render([("docker_sh", {"command": "ls"})]) for form in RENDERINGS),
            *(form.render([("swe_pytest", {"k": "x"})])[:-7] for form in RENDERINGS),
            "\n",
            " ",
            "\0",
            "{",
            "<tool_call>",
            "<arg_key>",
        ]
    )
    | TEXT,
    max_size=6,
).map("".join)
JUNK: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | FRAGMENTS | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "arguments", "function", "id", "content", "type", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def parsed(raw: bytes) -> Reply | None:
    try:
        return parse_reply(raw, None, OFFER)
    except (ProviderFault, ContextOverflow):
        return None


@settings(QUICK, max_examples=200)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_typed_errors(raw: bytes) -> None:
    parsed(raw)


@settings(QUICK, max_examples=300)
@given(
    content=FRAGMENTS | JUNK,
    reasoning=FRAGMENTS | JUNK,
    calls=st.none() | st.lists(JUNK, max_size=3) | JUNK,
    finish=st.sampled_from(["stop", "length", "tool_calls", None]),
)
def test_what_comes_of_any_reply_can_be_sent_again(
    content: JsonValue, reasoning: JsonValue, calls: JsonValue, finish: str | None
) -> None:
    message: JsonValue = {"content": content, "reasoning": reasoning, "tool_calls": calls}
    reply = parsed(
        json.dumps({"choices": [{"message": message, "finish_reason": finish}]}).encode()
    )
    if reply is not None:
        assert refusal(reply) is None


@settings(QUICK, max_examples=150)
@given(
    name=st.sampled_from(sorted(OFFER)) | st.text(max_size=80),
    arguments=FRAGMENTS | st.text() | JUNK,
    id=st.none() | st.text(max_size=20),
    count=st.integers(1, 3),
)
def test_what_comes_of_any_structured_call_can_be_sent_again(
    name: str, arguments: JsonValue, id: str | None, count: int
) -> None:
    wire: JsonValue = [{"id": id, "function": {"name": name, "arguments": arguments}}] * count
    reply = parsed(body(None, tool_calls=wire))
    if reply is not None:
        assert refusal(reply) is None


def test_what_comes_of_the_corpus_can_be_sent_again() -> None:
    for filed in cases():
        assert refusal(parse_reply(filed.case.body, None, OFFER)) is None, filed.case.name
