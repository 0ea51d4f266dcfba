"""From the raw body of an HTTP 200 to a reply the history can hold, or to a typed error."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from autogen_core import FunctionCall
from autogen_core.models import CreateResult, FinishReasons, RequestUsage
from pydantic import ValidationError

from agent_runner.errors import ProviderFault, ProviderKind
from agent_runner.provider.faults import (
    ContextOverflow,
    error_text,
    fault_of,
    tells_of_overflow,
    told_status,
)
from agent_runner.provider.records import RepairKind, RepairStep, Usage
from agent_runner.provider.salvage.calls import MendedCall, Mender
from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.said import read_said
from agent_runner.provider.salvage.steps import Steps
from agent_runner.provider.thought import Thought, join_thought
from agent_runner.provider.wire import WireCounts, WireMessage, WireReply, WireUsage

CUT_ANSWER = "(The reply reached its length limit before it said anything.)"
"""What the history holds of a reply that was all reasoning and was cut: it may not be empty."""

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
        steps: every repair that was made, in order.
    """

    result: CreateResult
    content: str
    reasoning: str | None
    finish_reason: str | None
    usage: Usage
    model: str | None
    invocation_id: str | None
    steps: tuple[RepairStep, ...] = ()

    @property
    def repairs(self) -> Mapping[RepairKind, int]:
        """How often each kind of repair was made."""
        return dict(Counter(step.kind for step in self.steps))


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


def parse_reply(body: bytes, invocation_id: str | None, offer: Offer) -> Reply:
    """Return the reply in `body`; `offer` are the tools the model may call.

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
    usage = _usage(wire.usage)
    steps = Steps()
    mender = Mender(offer, steps, cut=finish_reason == "length")
    calls = mender.structured(message.tool_calls or [])
    if calls is None or finish_reason == "error":
        raise UnusableReply(f"a broken reply: {error_text(body)}", invocation_id, usage)
    said_calls, said = read_said(message, mender, has_calls=bool(calls))
    calls = calls or said_calls
    text = said.content.lstrip() if said.field == "think" else said.content
    answer = text
    if not calls and not text.strip():
        if finish_reason != "length" or not said.reasoning:
            reason = f"neither text nor a tool call (finish reason {finish_reason})"
            raise UnusableReply(f"an empty reply: {reason}", invocation_id, usage)
        # The model thought for too long; that is its own doing, and asking again costs as much.
        answer = CUT_ANSWER
        steps.add(RepairKind.ANSWER_CUT, None, said.reasoning)
    return Reply(
        result=_result(answer, said, calls, finish_reason, usage),
        content=text,
        reasoning=said.reasoning or None,
        finish_reason=finish_reason,
        usage=usage,
        model=wire.model,
        invocation_id=invocation_id,
        steps=tuple(steps.taken),
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
    answer: str, said: Thought, calls: list[MendedCall], finish_reason: str | None, usage: Usage
) -> CreateResult:
    # AutoGen sums its own usage, which has no word for "unknown"; ours keeps it.
    counted = RequestUsage(usage.prompt_tokens or 0, usage.completion_tokens or 0)
    finish = _FINISH.get(finish_reason or "", "unknown")
    return CreateResult(
        finish_reason="function_calls" if calls and finish == "stop" else finish,
        content=[FunctionCall(id=c.id, name=c.name, arguments=c.arguments) for c in calls]
        or answer,
        usage=counted,
        cached=False,
        thought=join_thought(said if calls else replace(said, content="")),
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
