"""A scripted model: turn n is answered only if the request holds what turn n-1 had to bring."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, JsonValue, Tag
from pydantic_core import to_json

from agent_runner.document import read_document
from agent_runner.testing.chat import Chat
from agent_runner.testing.counts import Tokens, bill
from agent_runner.testing.tokens import tokens_in, tokens_of

_VALUE = ConfigDict(frozen=True, extra="forbid")
_SHOWN_CHARS = 2_000


def _compiled(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    return pattern


class Pattern(BaseModel):
    """A regular expression, searched with `re.MULTILINE`."""

    model_config = _VALUE

    regex: Annotated[str, AfterValidator(_compiled)]


Expectation = Annotated[
    Annotated[str, Tag("text")] | Annotated[Pattern, Tag("pattern")],
    Discriminator(lambda given: "text" if isinstance(given, str) else "pattern"),
]


class Call(BaseModel):
    """One tool call; `arguments` as text are sent as they are, broken ones too."""

    model_config = _VALUE

    tool: str
    arguments: dict[str, JsonValue] | str = {}


class ScriptedUsage(BaseModel):
    """Token counts instead of the counted ones."""

    model_config = _VALUE

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


class ScriptedReply(BaseModel):
    """What the model says; the finish reason follows from the calls unless it is given."""

    model_config = _VALUE

    content: str | None = None
    reasoning: str | None = None
    calls: tuple[Call, ...] = ()
    finish_reason: str | None = None
    usage: ScriptedUsage | None = None


class Turn(BaseModel):
    """One reply and what must, and must not, stand in the newest observations before it."""

    model_config = _VALUE

    expect: tuple[Expectation, ...] = ()
    absent: tuple[Expectation, ...] = ()
    reply: ScriptedReply
    latency_s: float = Field(default=0.0, ge=0)


class Script(BaseModel):
    """A whole run of one model. It keeps no state, so many episodes can share one endpoint.

    Attributes:
        model: the id it answers to.
        reasoning_required: refuse a history that lost the reasoning sent with a tool call.
        turns: the replies in order.
    """

    model_config = _VALUE

    model: str = "scripted"
    reasoning_required: bool = False
    turns: tuple[Turn, ...] = Field(min_length=1)

    @classmethod
    def load(cls, path: Path) -> "Script":
        """Read `path`.

        Raises:
            UsageError: it cannot be read, is not YAML, or has an unknown or a wrong key.
        """
        return read_document(path, cls)

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Answer the turn that `chat` asks for, or say with 400 or 409 why not."""
        if self.reasoning_required and (lost := self._lost_reasoning(chat)):
            return _error(400, "invalid_request_error", lost)
        if chat.turn > len(self.turns):
            text = f"script exhausted: turn {chat.turn} asked for, {len(self.turns)} in the script"
            return _refusal(text)
        turn = self.turns[chat.turn - 1]
        if wrong := _mismatch(turn, chat):
            return _refusal(wrong)
        await asyncio.sleep(turn.latency_s)
        return _completed(request, self.model, chat, turn.reply)

    def _lost_reasoning(self, chat: Chat) -> str | None:
        replies = [message for message in chat.messages if message.role == "assistant"]
        for number, (turn, message) in enumerate(zip(self.turns, replies, strict=False), start=1):
            reasoning = turn.reply.reasoning if turn.reply.calls else None
            if reasoning and message.reasoning_content != reasoning:
                return f"reasoning_content is missing in the assistant message of turn {number}"
        return None


def _mismatch(turn: Turn, chat: Chat) -> str | None:
    newest = chat.newest
    missing = [_shown(each) for each in turn.expect if not _holds(newest, each)]
    surplus = [_shown(each) for each in turn.absent if _holds(newest, each)]
    if not missing and not surplus:
        return None
    wrong = [f"expected {each}" for each in missing] + [f"unwanted {each}" for each in surplus]
    found = newest[:_SHOWN_CHARS]
    return f"script mismatch before turn {chat.turn}: {'; '.join(wrong)}; found: {found}"


def _holds(text: str, expectation: Expectation) -> bool:
    if isinstance(expectation, Pattern):
        return re.search(expectation.regex, text, re.MULTILINE) is not None
    return expectation in text


def _shown(expectation: Expectation) -> str:
    return f"/{expectation.regex}/" if isinstance(expectation, Pattern) else repr(expectation)


@dataclass(frozen=True)
class Always:
    """A model that answers everything alike.

    Attributes:
        latency_s: what it takes for it.
    """

    model: str
    reply: ScriptedReply
    latency_s: float = 0.0

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Answer."""
        await asyncio.sleep(self.latency_s)
        return _completed(request, self.model, chat, self.reply)


def _completed(
    request: web.Request, model: str, chat: Chat, reply: ScriptedReply
) -> web.StreamResponse:
    message = _message(chat, reply)
    usage = reply.usage or ScriptedUsage(
        prompt_tokens=tokens_of(chat), completion_tokens=tokens_in(to_json(message).decode())
    )
    bill(
        request,
        Tokens(
            prompt=usage.prompt_tokens,
            completion=usage.completion_tokens,
            cached=usage.cached_tokens,
        ),
    )
    finish_reason = reply.finish_reason or ("tool_calls" if reply.calls else "stop")
    completion: dict[str, JsonValue] = {
        "id": f"chatcmpl-{chat.turn}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": _usage(usage),
    }
    return web.Response(body=to_json(completion), content_type="application/json")


def _message(chat: Chat, reply: ScriptedReply) -> dict[str, JsonValue]:
    calls: list[JsonValue] = [
        {
            "id": f"call_{chat.turn}_{place}",
            "type": "function",
            "function": {"name": call.tool, "arguments": _arguments(call)},
        }
        for place, call in enumerate(reply.calls)
    ]
    message: dict[str, JsonValue] = {"role": "assistant", "content": reply.content}
    if reply.reasoning is not None:
        message["reasoning_content"] = reply.reasoning
    if calls:
        message["tool_calls"] = calls
    return message


def _arguments(call: Call) -> str:
    return call.arguments if isinstance(call.arguments, str) else to_json(call.arguments).decode()


def _usage(usage: ScriptedUsage) -> dict[str, JsonValue]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


def _refusal(text: str) -> web.Response:
    # 409 is a status that clients repeat; this one would be refused for ever.
    return _error(409, "script_mismatch", text, {"x-should-retry": "false"})


def _error(
    status: int, kind: str, text: str, headers: dict[str, str] | None = None
) -> web.Response:
    body = to_json({"error": {"message": text, "type": kind}})
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)
