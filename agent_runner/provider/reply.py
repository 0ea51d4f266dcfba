"""From the raw body of an HTTP 200 to a reply the history can hold, or to a typed error."""

import re
import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from autogen_core import FunctionCall
from autogen_core.models import CreateResult, FinishReasons, RequestUsage
from pydantic import JsonValue, ValidationError
from pydantic_core import from_json, to_json

from agent_runner.errors import ProviderFault, ProviderKind
from agent_runner.provider.faults import (
    ContextOverflow,
    error_text,
    fault_of,
    tells_of_overflow,
    told_status,
)
from agent_runner.provider.records import RepairKind, Usage
from agent_runner.provider.thought import Field, Thought, join_thought
from agent_runner.provider.wire import WireCall, WireCounts, WireMessage, WireReply, WireUsage

INVALID_ARGUMENTS_KEY = "__invalid_json__"
"""The only key of the object that stands for arguments that were no JSON object."""

CUT_ANSWER = "(The reply reached its length limit before it said anything.)"
"""What the history holds of a reply that was all reasoning and was cut: it may not be empty."""

_KEPT_CHARS = 4_000
_UNSENDABLE = re.compile(r"[^A-Za-z0-9_-]")
_NAME_CHARS = 64  # what the OpenAI API takes as a function's name
_FINISH: dict[str, FinishReasons] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "function_calls",
    "function_call": "function_calls",
    "content_filter": "content_filter",
}


@dataclass(frozen=True)
class Reply:
    """An accepted reply.

    Attributes:
        result: what AutoGen gets; every call in it can be sent back to a strict endpoint.
        content: the text, beside tool calls too.
        reasoning: what the endpoint gave as its reasoning.
        finish_reason: as the endpoint wrote it.
        usage: the tokens it counted.
        model: the model that says it answered.
        repairs: how often each kind of repair was made.
    """

    result: CreateResult
    content: str
    reasoning: str | None
    finish_reason: str | None
    usage: Usage
    model: str | None
    invocation_id: str | None
    repairs: Mapping[RepairKind, int]


class UnusableReply(ProviderFault):
    """A reply with status 200 that cannot be used; the next one may be fine.

    Attributes:
        usage: the tokens it cost, where it said so.
    """

    def __init__(self, message: str, invocation_id: str | None, usage: Usage | None = None) -> None:
        super().__init__(
            ProviderKind.REPLY, message, retryable=True, status=200, invocation_id=invocation_id
        )
        self.usage = usage


def parse_reply(body: bytes, invocation_id: str | None, tools: Collection[str]) -> Reply:
    """Return the reply in `body`; `tools` are the names the model may call.

    Raises:
        UnusableReply: the body is no chat completion, or one with neither text nor call.
        AnswerFault: it is an error body that names the status it stands for.
        ContextOverflow: it is an error body that says the prompt is too long.
    """
    try:
        wire = WireReply.model_validate_json(body)
    except ValidationError as error:
        reason = error.errors(include_url=False, include_input=False)[0]["msg"]
        text = f"the reply is no chat completion ({reason}): {error_text(body)}"
        raise UnusableReply(text, invocation_id, _usage_in(body)) from error
    invocation_id = invocation_id or wire.id
    message, finish_reason = _first_choice(wire, body, invocation_id)
    repairs: Counter[RepairKind] = Counter()
    calls = _calls(message.tool_calls or [], tools, repairs)
    usage = _usage(wire.usage)
    if calls is None or finish_reason == "error":
        raise UnusableReply(f"a broken reply: {error_text(body)}", invocation_id, usage)
    reasoning = message.reasoning_content or message.reasoning or None
    came_in: Field = "reasoning_content" if message.reasoning_content else "reasoning"
    thought = Thought(reasoning or "", message.content if calls else "", came_in)
    said = message.content
    if not calls and not said.strip():
        if finish_reason != "length" or not reasoning:
            reason = f"neither text nor a tool call (finish reason {finish_reason})"
            raise UnusableReply(f"an empty reply: {reason}", invocation_id, usage)
        # The model thought for too long; that is its own doing, and asking again costs as much.
        said = CUT_ANSWER
        repairs[RepairKind.ANSWER_CUT] += 1
    return Reply(
        result=_result(said, thought, calls, finish_reason, usage),
        content=message.content,
        reasoning=reasoning,
        finish_reason=finish_reason,
        usage=usage,
        model=wire.model,
        invocation_id=invocation_id,
        repairs=dict(repairs),
    )


def _first_choice(
    wire: WireReply, body: bytes, invocation_id: str | None
) -> tuple[WireMessage, str | None]:
    if wire.choices and wire.choices[0].message is not None:
        return wire.choices[0].message, wire.choices[0].finish_reason
    text = error_text(body)
    if (wire.error or wire.detail) and tells_of_overflow(body):
        raise ContextOverflow(text, 200)
    if (status := told_status(wire.error)) is not None:
        raise fault_of(status, {"x-request-id": invocation_id or ""}, body)
    what = "an error with status 200" if wire.error or wire.detail else "a reply without choices"
    raise UnusableReply(f"{what}: {text}", invocation_id, _usage(wire.usage))


def _result(
    content: str,
    thought: Thought,
    calls: list[FunctionCall],
    finish_reason: str | None,
    usage: Usage,
) -> CreateResult:
    # AutoGen sums its own usage, which has no word for "unknown"; ours keeps it.
    counted = RequestUsage(usage.prompt_tokens or 0, usage.completion_tokens or 0)
    return CreateResult(
        finish_reason=_FINISH.get(finish_reason or "", "unknown"),
        content=calls or content,
        usage=counted,
        cached=False,
        thought=join_thought(thought),
    )


def _usage_in(body: bytes) -> Usage | None:
    """Return the tokens that a body names which is otherwise of no use."""
    try:
        return _usage(WireCounts.model_validate_json(body).usage)
    except ValidationError:
        return None


def _usage(wire: WireUsage) -> Usage:
    cached = (wire.prompt_tokens_details.cached_tokens, wire.prompt_cache_hit_tokens)
    reasoning = (wire.completion_tokens_details.reasoning_tokens, wire.reasoning_tokens)
    return Usage(
        prompt_tokens=wire.prompt_tokens,
        completion_tokens=wire.completion_tokens,
        cached_tokens=next((n for n in (*cached, wire.cached_tokens) if n is not None), None),
        reasoning_tokens=next((n for n in reasoning if n is not None), None),
    )


def _calls(
    wire: list[WireCall], tools: Collection[str], repairs: Counter[RepairKind]
) -> list[FunctionCall] | None:
    """Return the calls, repaired; None where one does not even name a tool."""
    calls: list[FunctionCall] = []
    taken: set[str] = set()
    for call in wire:
        if not call.function.name or not call.function.name.strip():
            return None
        identity = _identity(call.id, taken, repairs)
        taken.add(identity)
        name = _name(call.function.name, tools, repairs)
        arguments = _arguments(call.function.arguments, repairs)
        calls.append(FunctionCall(id=identity, arguments=arguments, name=name))
    return calls


def _identity(given: str | None, taken: set[str], repairs: Counter[RepairKind]) -> str:
    if given and given not in taken:
        return given
    repairs[RepairKind.CALL_ID_REPEATED if given else RepairKind.CALL_ID_MISSING] += 1
    return f"call_{uuid.uuid4().hex}"


def _name(given: str, tools: Collection[str], repairs: Counter[RepairKind]) -> str:
    """Return the tool meant by names such as `functions.swe_clone:0` (Kimi writes them)."""
    if given in tools:
        return given
    bare = re.sub(r":\d+$", "", given.strip()).removeprefix("functions.")
    name = bare if bare in tools else _UNSENDABLE.sub("_", bare)[:_NAME_CHARS]
    if name != given:
        repairs[RepairKind.TOOL_NAME] += 1
    return name


def _arguments(given: JsonValue, repairs: Counter[RepairKind]) -> str:
    """Return the text of a JSON object, whatever the model wrote."""
    if given is None or given == "" or (isinstance(given, str) and not given.strip()):
        repairs[RepairKind.ARGUMENTS_EMPTY] += 1
        return "{}"
    if isinstance(given, dict):
        repairs[RepairKind.ARGUMENTS_NOT_TEXT] += 1
        return to_json(given).decode()
    text = given if isinstance(given, str) else to_json(given).decode()
    if _is_object(text):
        return text
    repairs[RepairKind.ARGUMENTS_INVALID] += 1
    return to_json({INVALID_ARGUMENTS_KEY: text[:_KEPT_CHARS]}).decode()


def _is_object(text: str) -> bool:
    # Python's own decoder also takes NaN, control characters and lone surrogates.
    try:
        return isinstance(from_json(text, allow_inf_nan=False), dict)
    except ValueError:
        return False
