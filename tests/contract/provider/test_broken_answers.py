"""Answers that are no HTTP: each is a typed fault that may be tried again, and shows no key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from autogen_core.models import UserMessage
from pydantic import SecretStr

from agent_runner.errors import ProviderFault
from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, ResolvedModel
from agent_runner.provider.retries import RetryPolicy

KEY = "a-secret-key-of-somebody"
ONCE = RetryPolicy(attempts=1)
TASK = [UserMessage(content="mend it", source="user")]


@asynccontextmanager
async def answering(sent: bytes) -> AsyncIterator[str]:
    """A server that answers every request with these bytes and hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"", "disconnected"),
        (b"nonsense\r\n\r\n", "Bad status line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n{}", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk size"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "Not enough data"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "decompress"),
    ],
)
async def test_an_answer_that_is_no_http_may_be_tried_again(sent: bytes, says: str) -> None:
    async with answering(sent) as url, asyncio.timeout(10):
        profile = ModelProfile(name="fake", model="fake", base_url=url)
        resolved = ResolvedModel(profile=profile, api_key=SecretStr(KEY))
        async with ModelClient(resolved, ONCE) as client:
            with pytest.raises(ProviderFault, match=says) as caught:
                await client.for_episode().create(TASK)
    assert (caught.value.kind, caught.value.retryable) == ("provider_unavailable", True)
    assert KEY not in caught.value.message
