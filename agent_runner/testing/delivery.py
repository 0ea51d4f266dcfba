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
        part, body = await _unsent(self.inner, request, chat)
        if body is None:
            return part
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
        head, body = await _unsent(self.inner, request, chat)
        if body is None:
            return head
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
        whole, body = await _unsent(self.inner, request, chat)
        if body is None or request.transport is None:
            return whole
        head = f"HTTP/1.1 {whole.status} OK\r\nContent-Type: application/json\r\n"
        length = f"Content-Length: {max(0, len(body) + self.surplus)}\r\n\r\n"
        request.transport.write((head + length).encode() + body)
        cut(request, reset=False)
        return web.StreamResponse(status=whole.status)


async def _unsent(
    inner: Behaviour, request: web.Request, chat: Chat
) -> tuple[web.StreamResponse, bytes | None]:
    """The head of a reply and its body; the reply itself and None where it is on its way."""
    whole = await inner.respond(request, chat)
    body = whole.body if isinstance(whole, web.Response) else None
    if not isinstance(body, bytes) or not body:
        return whole, None
    headers = {"Content-Type": whole.content_type, "Content-Length": str(len(body))}
    return web.StreamResponse(status=whole.status, headers=headers), body
