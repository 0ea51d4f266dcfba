"""Finds the lines of an output that a pattern matches, whatever the pattern.

Python cannot end a regular expression that backtracks for ever, so it runs in a process.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.errors import ToolRefusal
from tools.outputs.lines import Lines

# A search that says nothing for so long is stuck in one place.
STUCK_S = 2.0
LONGEST_S = 20.0
LINE_CHARS = 500
MESSAGE_BYTES = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """What to search for, from which line on, and how many lines and characters to show."""

    pattern: str
    start: int
    lines: int
    chars: int


class Message(BaseModel):
    """What the process says; see `grep_process.search`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: int = 0
    text: str | None = None
    matches: int | None = None
    after: int | None = None
    cut_lines: int = 0
    invalid: str = ""
    failed: str = ""


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        shown: number and text of the first matches, as many as there is room for.
        at: where the search ended.
        matches: how many there are; None where the search did not come to its end.
        after: the first match that is not shown; None where all are.
        cut_lines: lines so long that only their beginning was searched.
        failed: why the search was given up.
    """

    shown: tuple[tuple[int, str], ...]
    at: int
    matches: int | None = None
    after: int | None = None
    cut_lines: int = 0
    failed: str = ""


async def grep(lines: Lines, wanted: Wanted) -> Found:
    """Searches as long as the search makes progress, at most 20 s.

    Raises:
        ToolRefusal: the pattern is no regular expression.
    """
    with lines.opened() as file:
        offset = file.offset(wanted.start)
    job: dict[str, str | int] = {
        "path": str(lines.path),
        "pattern": wanted.pattern,
        "offset": offset,
        "number": wanted.start,
        "lines": wanted.lines,
        "chars": wanted.chars,
        "line_chars": max(LINE_CHARS, wanted.chars // wanted.lines - LINE_CHARS),
    }
    shown: list[tuple[int, str]] = []
    at = wanted.start
    try:
        async with asyncio.timeout(LONGEST_S), _started(job) as process:
            while (message := await _next(process)) is not None:
                if message.invalid:
                    raise ToolRefusal(f"grep is not a regular expression: {message.invalid}")
                if message.failed:
                    return Found(tuple(shown), at, failed=message.failed)
                at = message.at
                if message.text is not None:
                    shown.append((at, message.text))
                if message.matches is not None:
                    return Found(
                        tuple(shown), at, message.matches, message.after, message.cut_lines
                    )
    except TimeoutError:
        return Found(tuple(shown), at, failed="it takes too long")
    return Found(tuple(shown), at, failed="its process ended")


@asynccontextmanager
async def _started(job: dict[str, str | int]) -> AsyncIterator[Process]:
    """The search under way, ended with the block."""
    argv = (sys.executable, "-S", "-P", "-m", "tools.outputs.grep_process")
    root = str(Path(__file__).parents[2])
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=MESSAGE_BYTES,
        env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    try:
        assert process.stdin is not None, "asked for above"
        process.stdin.write(json.dumps(job).encode())
        process.stdin.write_eof()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _next(process: Process) -> Message | None:
    assert process.stdout is not None, "asked for when it was started"
    async with asyncio.timeout(STUCK_S):
        line = await process.stdout.readline()
    return Message.model_validate_json(line) if line else None
