"""A recording read back: each request whole again, and checked against its checksum."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from agent_runner.document import explain
from agent_runner.errors import UsageError
from agent_runner.provider.recording.lines import ExchangeLine, Header, Tree, sha256_of

NAME = "provider.jsonl"


@dataclass(frozen=True)
class RecordedExchange:
    """One attempt, its request whole.

    Attributes:
        line: as it stands in the file.
        last: whether it is the last attempt of its call.
    """

    line: ExchangeLine
    messages: Sequence[Tree]
    settings: Tree
    last: bool


@dataclass(frozen=True)
class Recording:
    """All exchanges of one episode, in order.

    Attributes:
        cut: whether the last line of the file is not whole, as after a crash.
    """

    path: Path
    header: Header
    exchanges: tuple[RecordedExchange, ...]
    cut: bool

    @classmethod
    def load(cls, path: Path) -> "Recording":
        """Read `path`. A last line that was cut off is left out.

        Raises:
            UsageError: it cannot be read, keeps no bodies, or is damaged before its last line.
        """
        lines = _read(path).split(b"\n")
        unfinished = lines.pop()
        header = _header(path, lines[0] if lines else unfinished)
        if header.level != "full":
            raise UsageError(
                f"{path}: was recorded with `record: {header.level}`, which keeps no replies; "
                "only a run with `record: full` can be replayed"
            )
        exchanges = tuple(_expanded(path, lines[1:]))
        if not exchanges:
            raise UsageError(f"{path}: holds no exchange: the recorded run never asked its model")
        return cls(path, header, exchanges, cut=bool(unfinished))


def is_recording(path: Path) -> bool:
    """Say whether the first line of `path` is that of a recording, whole or not.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            first = file.readline(65_536).lstrip()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    return re.match(rb'\{\s*"type"\s*:\s*"header"', first) is not None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error


def _header(path: Path, line: bytes) -> Header:
    try:
        return Header.model_validate_json(line)
    except ValidationError as error:
        if b'"system_prompt"' in line:
            raise UsageError(
                f"{path}: is a trajectory, which holds no replies; {NAME} beside it does"
            ) from error
        reason = explain(error, Header.model_fields)
        raise UsageError(f"{path}: line 1 is no header of a recording: {reason}") from error


def _expanded(path: Path, lines: Sequence[bytes]) -> Iterator[RecordedExchange]:
    messages: list[Tree] = []
    settings: Tree = {}
    parsed = [_line(path, number, line) for number, line in enumerate(lines, start=2)]
    for place, line in enumerate(parsed):
        request = line.request
        fresh = request.messages or ()
        messages = [*messages[: request.kept], *fresh]
        settings = settings if request.settings is None else request.settings
        whole = request.total == len(messages) and request.sha256 == sha256_of(messages, settings)
        if not whole:
            raise UsageError(
                f"{path}: line {place + 2} does not follow from the lines before it: "
                "the file was damaged or its requests were edited"
            )
        following = parsed[place + 1] if place + 1 < len(parsed) else None
        last = following is None or following.call != line.call
        yield RecordedExchange(line, messages, settings, last)


def _line(path: Path, number: int, line: bytes) -> ExchangeLine:
    # Python's own decoder: it takes half a surrogate pair, as the history did.
    try:
        tree = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{path}: line {number} is cut or no JSON") from error
    try:
        return ExchangeLine.model_validate(tree)
    except ValidationError as error:
        reason = explain(error, ExchangeLine.model_fields)
        raise UsageError(f"{path}: line {number} is no exchange: {reason}") from error
