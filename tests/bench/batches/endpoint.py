"""The shipped fake endpoint in a process of its own, playing one script to everybody."""

import json
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import JsonValue

from tests.bench.process import PYTHON, NotMeasured, started


@asynccontextmanager
async def endpoint(
    directory: Path, turns: Sequence[JsonValue], latency_s: float
) -> AsyncIterator[str]:
    """The base URL of an endpoint that answers every request after `latency_s`.

    Raises:
        NotMeasured: it did not start.
    """
    script = directory / "script.json"
    script.write_text(json.dumps({"model": "fake", "turns": list(turns)}), encoding="utf-8")
    argv = (
        PYTHON, "-m", "agent_runner.testing.endpoint",
        "--script", str(script), "--latency", str(latency_s),
    )  # fmt: skip
    async with started(argv) as child:
        assert child.process.stdout is not None
        url = (await child.process.stdout.readline()).decode().strip()
        if not url.startswith("http"):
            raise NotMeasured(f"the endpoint did not start: {url}")
        yield url
        child.process.send_signal(signal.SIGTERM)


def call(tool: str, **arguments: JsonValue) -> JsonValue:
    """A turn that calls one tool."""
    return {"reply": {"calls": [{"tool": tool, "arguments": arguments}]}}


DONE: JsonValue = {"reply": {"content": "It is done.\n\nTERMINATE"}}
