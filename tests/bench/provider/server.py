"""An endpoint in a process of its own, so that only the client's own time is counted.

`python -m tests.bench.provider.server LATENCY_S` prints its port and serves until it is ended.
Every request gets the same call of a tool; it is read and not looked at.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from pydantic_core import to_json

from tests.bench.process import PYTHON, NotMeasured, started

START_LIMIT_S = 20.0
MAX_BODY_BYTES = 64 * 1024 * 1024
REPLY = to_json(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "fake",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {
                    "role": "assistant",
                    "content": "I look at the file.",
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "look", "arguments": '{"path": "a.py"}'},
                        }
                    ],
                },
            }
        ],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020},
    }
)


@asynccontextmanager
async def serving(latency_s: float) -> AsyncIterator[str]:
    """The base URL of an endpoint that answers after `latency_s`.

    Raises:
        NotMeasured: it did not start.
    """
    async with started((PYTHON, "-m", "tests.bench.provider.server", str(latency_s))) as child:
        assert child.process.stdout is not None
        try:
            async with asyncio.timeout(START_LIMIT_S):
                port = (await child.process.stdout.readline()).decode().strip()
        except TimeoutError as error:
            raise NotMeasured("the endpoint did not start") from error
        if not port.isdigit():
            raise NotMeasured(f"the endpoint did not start: {port}")
        yield f"http://127.0.0.1:{port}/v1"


async def serve(latency_s: float) -> None:
    """Serves until the process is ended."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(latency_s)
        return web.Response(body=REPLY, content_type="application/json")

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
