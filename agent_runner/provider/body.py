"""The body of an answer, read whole and bounded."""

from collections.abc import AsyncIterator, Mapping

from aiohttp import ClientError
from httpx2 import AsyncByteStream, RequestError, Response

from agent_runner.provider.faults import invocation_of

MAX_BODY_BYTES = 32 * 1_048_576
"""What the body of an answer may have on the wire; the longest replies have less than 1 MB."""


class BrokenBody(Exception):
    """A body that did not come whole, of an answer whose headers did."""

    def __init__(self, reason: str, headers: Mapping[str, str]) -> None:
        call = invocation_of(headers)
        super().__init__(f"{reason} [call {call}]" if call else reason)


class _Bounded(AsyncByteStream):
    """A body that ends with an error where it becomes longer than any reply."""

    def __init__(self, stream: AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size_bytes = 0
        async for chunk in self._stream:
            size_bytes += len(chunk)
            if size_bytes > MAX_BODY_BYTES:
                raise _TooLong
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _TooLong(Exception):
    """More than `MAX_BODY_BYTES` came."""


async def read_whole(response: Response) -> None:
    """Read the body here, where the headers are known that the SDK's errors do not have.

    Raises:
        BrokenBody: it is cut, or longer than any reply.
    """
    if isinstance(response.stream, AsyncByteStream):
        response.stream = _Bounded(response.stream)
    try:
        await response.aread()
    except _TooLong as error:
        most = f"a body of more than {MAX_BODY_BYTES // 1_048_576} MB"
        raise BrokenBody(most, response.headers) from error
    except (RequestError, ClientError) as error:
        raise BrokenBody(str(error), response.headers) from error
