"""What a person sees while a run goes on: a line per stage and turn on stderr, and in `run.log`."""

import asyncio
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from agent_runner.trajectory import CallLine, TurnLine

if TYPE_CHECKING:
    from rich.status import Status

PATIENCE_S = 2.0
LATE_AGAIN_S = 10.0


@dataclass
class Observer:
    """Writes for people.

    Attributes:
        quiet: only what went wrong.
        log: `run.log`, which gets everything with times.
    """

    quiet: bool = False
    stream: IO[str] = field(default_factory=lambda: sys.stderr)
    log: IO[str] | None = None
    _shown: "Status | None" = field(default=None, init=False)
    _step: str = field(default="", init=False)
    _late_said_s: float = field(default=-math.inf, init=False)

    def say(self, text: str) -> None:
        """One line."""
        self.note(text)
        if not self.quiet:
            self._print(text)

    def complain(self, text: str) -> None:
        """One line about what went wrong; nothing silences it."""
        self.note(text)
        self._print(text)

    def note(self, text: str) -> None:
        """One line for `run.log` only."""
        if self.log is not None:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            self.log.write(f"{stamp} {text}\n")
            self.log.flush()

    def turn(self, line: TurnLine) -> None:
        """What the model did in a turn, how it ended, seconds, tokens."""
        self.say(turn_text(line))

    def step(self, text: str) -> None:
        """What is being done within something that takes long."""
        self.note(text)
        self.show(text)

    def late(self, text: str) -> None:
        """Whom the run waits for: the spinner says it, and without one a line now and then."""
        self.step(text)
        now_s = time.monotonic()
        if (
            not self.quiet
            and not self.stream.isatty()
            and now_s - self._late_said_s >= LATE_AGAIN_S
        ):
            self._late_said_s = now_s
            self._print(text)

    def show(self, text: str) -> None:
        """What a spinner says from now on."""
        self._step = text
        if self._shown is not None:
            self._shown.update(text)

    @contextmanager
    def waiting(self, what: str, *, lines: bool = True) -> Iterator[None]:
        """Shows what goes on once it takes longer than two seconds, and then how long it took.

        Args:
            lines: False where what goes on writes lines of its own: a spinner alone then.
        """
        self.note(f"{what} ...")
        self._step = what
        began_s = time.monotonic()
        timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._show, lines)
        try:
            yield
        finally:
            timer.cancel()
            if self._shown is not None:
                self._shown.stop()
                self._shown = None
        spent_s = time.monotonic() - began_s
        if lines and spent_s > PATIENCE_S:
            self.say(f"{what}: {spent_s:.1f} s")

    def _show(self, lines: bool) -> None:
        """A spinner on a terminal, a line elsewhere."""
        if self.quiet:
            return
        if not self.stream.isatty():
            if lines:
                self._print(f"{self._step} ...")
            return
        from rich.console import Console

        self._shown = Console(file=self.stream).status(self._step)
        self._shown.start()

    def _print(self, text: str) -> None:
        if self._shown is None:
            self.stream.write(f"{text}\n")
            self.stream.flush()
        else:
            self._shown.console.print(text, markup=False, highlight=False, soft_wrap=True)


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
    text = " ".join(", ".join(f"{value}" for value in arguments.values()).split())
    return text if len(text) <= 48 else text[:45] + "..."


def ending(call: CallLine) -> str:
    """How a call ended, in a few words: the first line of what it said."""
    return f"{'x' if call.is_error else '->'} {first_line(call)}"


def first_line(call: CallLine) -> str:
    """The first line of what a call answered, of 60 characters at most."""
    first = call.text.strip().splitlines()[0] if call.text.strip() else ""
    return first[:60]
