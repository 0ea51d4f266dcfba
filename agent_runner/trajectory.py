"""What happened, a line per turn, on disk before the next model call."""

import json
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from agent_runner.result import Record, Termination


class CallLine(Record):
    """One tool call; `handle` names its output in `outputs/`."""

    id: str
    tool: str
    arguments: dict[str, object]
    is_error: bool
    text: str
    handle: str | None
    exit_code: int | None
    duration_s: float


class AttemptLine(Record):
    """One request on the wire for a turn's reply; it had waited `waited_s` before it was sent."""

    status: int | None
    error: str | None
    duration_s: float
    waited_s: float = 0.0


class RepairLine(Record):
    """One repair of a turn's reply: its kind, the tool, and an excerpt of what stood there."""

    kind: str
    tool: str | None
    before: str
    why: str | None


class TurnUsage(Record):
    """Tokens of a turn as the endpoint counted them; null where it did not say."""

    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None = None


class Header(Record):
    """The first line: what was asked of which model."""

    type: Literal["header"] = "header"
    task_id: str
    solver: str
    model: str | None
    system_prompt: str | None
    task_prompt: str | None
    tools: tuple[str, ...]


class TurnLine(Record):
    """One accepted reply and the calls it asked for.

    `lowered_max_tokens` is what the reply was shortened to where the episode's budget had no room
    for a whole one, null otherwise.
    """

    type: Literal["turn"] = "turn"
    turn: int
    content: str
    reasoning: str | None
    finish_reason: str | None
    usage: TurnUsage
    attempts: tuple[AttemptLine, ...]
    repairs: dict[str, int]
    calls: tuple[CallLine, ...]
    duration_s: float
    repair_steps: tuple[RepairLine, ...] = ()
    lowered_max_tokens: int | None = None


class End(Record):
    """The last line."""

    type: Literal["end"] = "end"
    termination: Termination | None


@dataclass
class Trajectory:
    """Writes `trajectory.jsonl`; every line is flushed."""

    file: IO[str]

    @classmethod
    def create(cls, path: Path) -> Self:
        """Opens a new file."""
        return cls(path.open("w", encoding="utf-8"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()

    def write(self, line: Header | TurnLine | End) -> None:
        """Appends one line; invalid surrogates in a reply must not stop the record."""
        text = json.dumps(line.model_dump(mode="json"), ensure_ascii=False)
        self.file.write(text.encode("utf-8", "backslashreplace").decode() + "\n")
        self.file.flush()
