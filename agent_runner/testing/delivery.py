"""How a reply that was computed, and is billed, gets lost or late on its way."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from agent_runner.testing.behaviour import Behaviour, cut
from agent_runner.testing.chat import Chat
from agent_runner.testing.counts import tell, told

_PIECES = 8


class Ending(StrEnum):
    """How a connection ends."""

    CLOSE = "close"
    RESET = "reset"
    STALL = "stall"


@dataclass(frozen=True)
class Lost:
    """A reply of which only a part arrives.

    Attributes:
        share: how much of the body is sent, from 0 to 1; at 0 not even the headers are.
    """

    inner: Behaviour
    ending: Ending
    share: float = 0.0

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Send the share, and end."""
        whole = await self.inner.respond(request, chat)
        body = _body_of(whole)
        if body is None:
            return whole
        part = _head_of(whole, len(body))
        if self.share:
            await part.prepare(request)
            await part.write(body[: max(1, min(len(body) - 1, int(len(body) * self.share)))])
        if self.ending is Ending.STALL:
            await asyncio.Event().wait()
        cut(request, reset=self.ending is Ending.RESET)
        return part


@dataclass(frozen=True)
class Late:
    """A reply that takes `latency_s` more."""

    inner: Behaviour
    latency_s: float

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Wait, and answer."""
        await asyncio.sleep(self.latency_s)
        return await self.inner.respond(request, chat)


@dataclass(frozen=True)
class Slow:
    """A reply whose body comes in pieces over `duration_s`, whole in the end."""

    inner: Behaviour
    duration_s: float

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Send it piece by piece."""
        whole = await self.inner.respond(request, chat)
        body = _body_of(whole)
        if body is None:
            return whole
        head = _head_of(whole, len(body))
        await head.prepare(request)
        step = -(-len(body) // _PIECES)
        for begin in range(0, len(body), step):
            await asyncio.sleep(self.duration_s / _PIECES)
            await head.write(body[begin : begin + step])
        tell(request, told(body))
        return head


@dataclass(frozen=True)
class Misdeclared:
    """A reply whose `Content-Length` names `surplus` bytes more than there are, or fewer."""

    inner: Behaviour
    surplus: int

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Write past aiohttp, which would keep to the length, and close the connection."""
        whole = await self.inner.respond(request, chat)
        body = _body_of(whole)
        if body is None or request.transport is None:
            return whole
        head = f"HTTP/1.1 {whole.status} OK\r\nContent-Type: application/json\r\n"
        length = f"Content-Length: {max(0, len(body) + self.surplus)}\r\n\r\n"
        request.transport.write((head + length).encode() + body)
        cut(request, reset=False)
        return web.StreamResponse(status=whole.status)


def _body_of(response: web.StreamResponse) -> bytes | None:
    """The body of a response that is not on its way yet."""
    body = response.body if isinstance(response, web.Response) else None
    return body if isinstance(body, bytes) and body else None


def _head_of(response: web.StreamResponse, length: int) -> web.StreamResponse:
    headers = {"Content-Type": response.content_type, "Content-Length": str(length)}
    return web.StreamResponse(status=response.status, headers=headers)
