"""What a person sees while a run goes on: one line per stage and turn, on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from agent_runner.trajectory import CallLine, TurnLine


@dataclass
class Observer:
    """Writes for people; on a terminal what takes long shows a running clock.

    Attributes:
        quiet: only what went wrong.
    """

    quiet: bool = False
    stream: IO[str] = field(default_factory=lambda: sys.stderr)
    log: IO[str] | None = None

    def say(self, text: str) -> None:
        """One line."""
        self.note(text)
        if not self.quiet:
            print(text, file=self.stream, flush=True)

    def note(self, text: str) -> None:
        """One line for `run.log` only."""
        if self.log is not None:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            print(f"{stamp} {text}", file=self.log, flush=True)

    def turn(self, line: TurnLine) -> None:
        """What the model did in a turn, how it ended, seconds, tokens."""
        self.say(turn_text(line))

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Shows that something goes on which takes longer than two seconds."""
        began_s = time.monotonic()
        if self.quiet or not self.stream.isatty():
            self.say(f"{what} ...")
            yield
            self.say(f"{what}: {time.monotonic() - began_s:.1f} s")
            return
        self.note(f"{what} ...")
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        console = Console(file=self.stream)
        with Progress(*columns, console=console, transient=True) as progress:
            progress.add_task(what)
            yield


def turn_text(line: TurnLine) -> str:
    """A turn in one line."""
    said = [f"{call.tool}({brief(call.arguments)}) {ending(call)}" for call in line.calls]
    if not said:
        said = [f"says: {' '.join(line.content.split())[:60]}"]
    tokens = (line.usage.prompt_tokens, line.usage.completion_tokens)
    counted = "?" if None in tokens else f"{tokens[0]}+{tokens[1]}"
    return f"turn {line.turn:>2}  {'; '.join(said)}  [{line.duration_s:.1f} s, {counted} tokens]"


def brief(arguments: dict[str, object]) -> str:
    """Arguments in a few words."""
    text = ", ".join(f"{value}" for value in arguments.values())
    text = " ".join(text.split())
    return text if len(text) <= 48 else text[:45] + "..."


def ending(call: CallLine) -> str:
    """How a call ended, in a few words: the first line of what it said."""
    mark = "x" if call.is_error else "->"
    first = call.text.strip().splitlines()[0] if call.text.strip() else ""
    return f"{mark} {first[:60]}"
