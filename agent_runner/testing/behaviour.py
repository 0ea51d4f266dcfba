"""What the fake endpoint does with one request: answer, fail, or never come back."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web
from pydantic import JsonValue
from pydantic_core import to_json

from agent_runner.testing.chat import Chat


class Behaviour(Protocol):
    """One way to deal with a valid request."""

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Return the response, or one whose connection is closed."""
        ...


@dataclass(frozen=True)
class Canned:
    """A fixed answer: any status with any body, JSON or raw, after a delay."""

    body: JsonValue | bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Answer after `delay_s`."""
        await asyncio.sleep(self.delay_s)
        raw = self.body if isinstance(self.body, bytes) else to_json(self.body)
        headers = {"Content-Type": "application/json", **self.headers}
        return web.Response(status=self.status, body=raw, headers=headers)


@dataclass(frozen=True)
class Drop:
    """A connection closed without an answer, or in its middle after `sent`."""

    sent: bytes = b""

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Close the connection."""
        response = web.StreamResponse(headers={"Content-Length": str(len(self.sent) + 1)})
        if self.sent:
            await response.prepare(request)
            await response.write(self.sent)
        if request.transport is not None:
            request.transport.close()
        return response


@dataclass(frozen=True)
class Stall:
    """No answer until the client has gone; with `drip_s` one byte comes each that many seconds."""

    drip_s: float | None = None

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Keep the request open."""
        if self.drip_s is None:
            await asyncio.Event().wait()
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(self.drip_s or 0.0)
