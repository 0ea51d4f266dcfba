"""Requests to a fake endpoint as any HTTP client makes them."""

from dataclasses import dataclass

import aiohttp
from pydantic import JsonValue
from pydantic_core import from_json

from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.script import Script

SCRIPT = Script.model_validate(
    {
        "model": "fake",
        "turns": [
            {
                "reply": {
                    "content": "I look.",
                    "calls": [{"tool": "look", "arguments": {"at": "é"}}],
                }
            },
            {"reply": {"calls": [{"tool": "look"}]}},
            {"reply": {"content": "TERMINATE"}},
        ],
    }
)


@dataclass(frozen=True)
class Answer:
    """What came back; `status` is None where the connection ended without one."""

    status: int | None
    headers: dict[str, str]
    body: bytes
    broken: bool = False

    def tree(self) -> dict[str, JsonValue]:
        tree = from_json(self.body)
        assert isinstance(tree, dict)
        return tree


def conversation(task: str, turn: int, **extra: JsonValue) -> JsonValue:
    """The request for a turn of `SCRIPT`."""
    messages: list[JsonValue] = [{"role": "user", "content": task}]
    for number in range(1, turn):
        function: JsonValue = {"name": "look", "arguments": "{}"}
        call: JsonValue = {"id": f"c{number}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": "seen"})
    return {"model": "fake", "messages": messages, **extra}


async def ask(endpoint: FakeEndpoint, body: JsonValue, limit_s: float = 5.0) -> Answer:
    """One request; what breaks on the way is an answer as well."""
    limit = aiohttp.ClientTimeout(total=limit_s)
    url = f"{endpoint.base_url}/chat/completions"
    async with aiohttp.ClientSession(timeout=limit, auto_decompress=False) as session:
        status, headers, read = None, {}, bytearray()
        try:
            async with session.post(url, json=body) as response:
                status = response.status
                headers = {name.lower(): value for name, value in response.headers.items()}
                async for chunk in response.content.iter_any():
                    read += chunk
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return Answer(status, headers, bytes(read), broken=True)
        return Answer(status, headers, bytes(read))
