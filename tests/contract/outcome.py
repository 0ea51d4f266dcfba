"""One answer of an endpoint, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import JsonValue

from agent_runner.testing.behaviour import Behaviour, Canned, cut
from agent_runner.testing.chat import Chat

UNAVAILABLE, REPLY = "provider_unavailable", "provider_reply"
AUTH, QUOTA, MODEL = "provider_auth", "provider_quota", "provider_model"


@dataclass(frozen=True)
class Again:
    """It is tried again; `says` stands in the error if it never ends."""

    kind: str
    status: int | None
    says: str
    patient: bool = False


@dataclass(frozen=True)
class Ends:
    """It is an error at once, and not one of those that pass."""

    kind: str
    status: int
    says: str


@dataclass(frozen=True)
class Overflow:
    """The prompt is too long, which is a normal end."""


@dataclass(frozen=True)
class Good:
    """The reply is used."""

    repairs: Mapping[str, int] = field(default_factory=dict)
    counted: bool = True
    nudged: bool = False


@dataclass(frozen=True)
class Row:
    """One row; `of` names the table it is from."""

    of: str
    says: str | Behaviour
    then: Again | Ends | Overflow | Good


@dataclass(frozen=True)
class Raw:
    """Bytes in the place of an HTTP answer, and the end of the connection."""

    sent: bytes

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Write past aiohttp."""
        assert request.transport is not None
        request.transport.write(self.sent)
        cut(request, reset=False)
        return web.StreamResponse()


def reply(message: JsonValue, finish_reason: str | None = "stop", **more: JsonValue) -> Canned:
    """A 200 with this message."""
    choice: JsonValue = {"index": 0, "message": message, "finish_reason": finish_reason}
    usage: JsonValue = {"prompt_tokens": 7, "completion_tokens": 3}
    return Canned({"choices": [choice], "usage": usage, **more})


def call(**changes: JsonValue) -> JsonValue:
    """A tool call that is right but for the changes."""
    function: JsonValue = {"name": "note", "arguments": '{"text": "two"}'}
    return {"id": "call_2_0", "type": "function", "function": function, **changes}


def refused(status: int, text: str, **headers: str) -> Canned:
    """A status with a body in OpenAI's shape."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Canned({"error": {"message": text, "type": "x", "code": None}}, status, named)


CHUTES, STATUS, BODY, WIRE = "chutes", "status", "body", "wire"
