"""What the fake endpoint does with one request: answer, fail, or never come back."""

import asyncio
import datetime
import email.utils
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web
from pydantic import JsonValue
from pydantic_core import to_json

from agent_runner.testing.chat import Chat
from agent_runner.testing.counts import bill, told

_SUCCESS = 200


class Behaviour(Protocol):
    """One way to deal with a valid request."""

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Return the response, or one whose connection is closed."""
        ...


@dataclass(frozen=True)
class Canned:
    """A fixed answer: any status with any body, JSON or raw, after a delay.

    What the `usage` of a successful one names is billed.
    """

    body: JsonValue | bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Answer after `delay_s`."""
        await asyncio.sleep(self.delay_s)
        raw = self.body if isinstance(self.body, bytes) else to_json(self.body)
        if self.status == _SUCCESS:
            bill(request, told(raw))
        headers = {"Content-Type": "application/json", **self.headers}
        return web.Response(status=self.status, body=raw, headers=headers)


@dataclass(frozen=True)
class Dated:
    """429 with `Retry-After` as a date, which is only known when it is asked."""

    wait_s: float
    body: JsonValue

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Refuse until then."""
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.wait_s)
        headers = {"Retry-After": email.utils.format_datetime(until, usegmt=True)}
        return await Canned(self.body, 429, headers).respond(request, chat)


@dataclass(frozen=True)
class Drop:
    """A connection closed without an answer, or in its middle after `sent`.

    Attributes:
        reset: by RST, as a host that crashed or a firewall does, not by FIN.
    """

    sent: bytes = b""
    reset: bool = False

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Close the connection."""
        response = web.StreamResponse(headers={"Content-Length": str(len(self.sent) + 1)})
        if self.sent:
            await response.prepare(request)
            await response.write(self.sent)
        cut(request, reset=self.reset)
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


def cut(request: web.Request, *, reset: bool) -> None:
    """End the connection of `request`, by RST if `reset`."""
    transport = request.transport
    if transport is None:
        return
    if not reset:
        transport.close()
        return
    connection = transport.get_extra_info("socket")
    # Lingering for no time is what makes a close a reset.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
