"""Processes that are timed, and ended with all they started when the benchmark ends."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent_runner.places import root

PYTHON = sys.executable
AGENT_RUNNER = (PYTHON, "-m", "agent_runner")
LIMIT_S = 120.0
END_LIMIT_S = 10.0
SHOWN_CHARS = 300


class NotMeasured(Exception):
    """A command did not do what was to be timed; the message says what it did."""


@dataclass
class Child:
    """A process in a session of its own; `started_s` is the monotonic time just before it."""

    process: asyncio.subprocess.Process
    started_s: float

    async def end(self) -> None:
        """Asks it to end, and makes it."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.returncode is not None:
                return
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with suppress(TimeoutError):
                async with asyncio.timeout(END_LIMIT_S):
                    await self.process.communicate()


@asynccontextmanager
async def started(
    argv: tuple[str, ...], env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> AsyncIterator[Child]:
    """A process started in the checkout, or where it is told, ended with the block."""
    started_s = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd or root(),
        env={**os.environ, **(env or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    child = Child(process, started_s)
    try:
        yield child
    finally:
        await child.end()


async def timed(
    *argv: str, env: Mapping[str, str] | None = None, limit_s: float = LIMIT_S
) -> float:
    """Seconds from start to end of a command, which must succeed.

    Raises:
        NotMeasured: it failed, or took longer than `limit_s`.
    """
    async with started(argv, env) as child:
        try:
            async with asyncio.timeout(limit_s):
                out, _ = await child.process.communicate()
        except TimeoutError as error:
            raise NotMeasured(f"{argv[0]}: not over after {limit_s:.0f} s") from error
        spent_s = time.monotonic() - child.started_s
    if child.process.returncode != 0:
        raise NotMeasured(f"exit {child.process.returncode}: {shown(out)}")
    return spent_s


def shown(output: bytes) -> str:
    """The end of an output, on one line."""
    return " ".join(output.decode(errors="replace").split())[-SHOWN_CHARS:]
