"""Every exchange of one episode, on disk as soon as it is over."""

import datetime
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel

from agent_runner.provider.exchange import Exchange, Sent
from agent_runner.provider.faults import invocation_of
from agent_runner.provider.recording.lines import (
    ExchangeLine,
    Header,
    RequestLine,
    ResponseLine,
    Tree,
    canonical,
    finished,
    hashed,
)
from agent_runner.provider.redaction import Redactor

# What a retry, a limit, or a question to the provider's support depends on.
_HEADERS = frozenset({"content-type", "x-should-retry", "server", "via", "location"})
_HEADER_PARTS = (
    "retry-after",
    "ratelimit",
    "rate-limit",
    "request-id",
    "invocationid",
    "cf-ray",
    "processing-ms",
)


class Recorder:
    """Appends to one file. A disk that is full ends the recording, says so once, and no run.

    Attributes:
        stopped: why nothing more is recorded, None while it is.
    """

    def __init__(
        self, path: Path, header: Header, redactor: Redactor, told: Callable[[str], None]
    ) -> None:
        self.stopped: str | None = None
        self._path = path
        self._full = header.level == "full"
        self._redactor = redactor
        self._told = told
        self._calls = 0
        self._size_bytes = 0
        self._history = _History(redactor)
        self._file: FileIO | None = None
        try:
            self._file = FileIO(path, "w")
        except OSError as error:
            self._stop(error)
        self._write(header)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def call(self) -> "RecordedCall":
        """Begin the next model call."""
        self._calls += 1
        return RecordedCall(self, self._calls)

    def note(self, exchange: Exchange, call: int, attempt: int) -> None:
        """Append one attempt."""
        answer = exchange.answer
        request = self._history.line(exchange.sent, full=self._full)
        response = None
        if answer is not None:
            headers = _worth_keeping(answer.headers)
            response = ResponseLine.of(answer, headers, with_body=self._full)
        line = ExchangeLine(
            call=call,
            attempt=attempt,
            began=stamp(exchange.began_s),
            duration_s=round(exchange.duration_s, 3),
            invocation_id=invocation_of(answer.headers) if answer else None,
            request=request,
            response=response,
            broke=exchange.broke,
        )
        self._write(line)

    def _write(self, line: BaseModel) -> None:
        if self._file is None:
            return
        data = _json(line)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            with suppress(OSError):  # a reader also copes with a last line that is cut
                self._file.truncate(self._size_bytes)
            self._stop(error)
        else:
            self._size_bytes += len(data)

    def _stop(self, error: OSError) -> None:
        self.stopped = os.strerror(error.errno or 0)
        self._told(
            f"recording stopped after call {self._calls}: {self._path}: {self.stopped}; the run "
            "goes on, and cannot be replayed beyond there"
        )
        if self._file is not None:
            self._file.close()
            self._file = None


class RecordedCall:
    """Is told of the attempts of one call."""

    def __init__(self, recorder: Recorder, number: int) -> None:
        self._recorder = recorder
        self._number = number
        self._attempts = 0

    def exchanged(self, exchange: Exchange) -> None:
        """Append it."""
        self._attempts += 1
        self._recorder.note(exchange, self._number, self._attempts)


class _History:
    """What the last request held, so that only what is new is written."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._messages: list[object] = []
        self._states = [hashlib.sha256()]  # [n] has seen the first n messages
        self._settings: Mapping[str, object] | None = None

    def line(self, sent: Sent, *, full: bool) -> RequestLine:
        kept = self._same(sent.messages)
        fresh = [self._redactor.text(canonical(each)) for each in sent.messages[kept:]]
        del self._messages[kept:], self._states[kept + 1 :]
        for message, text in zip(sent.messages[kept:], fresh, strict=True):
            self._messages.append(message)
            self._states.append(hashed(self._states[-1], [text]))
        changed = sent.settings != self._settings
        self._settings = sent.settings
        settings: Tree = json.loads(self._redactor.text(canonical(sent.settings)))
        return RequestLine(
            total=len(self._messages),
            kept=kept,
            messages=tuple(json.loads(text) for text in fresh) if full else None,
            settings=settings if full and changed else None,
            sha256=finished(self._states[-1], settings),
        )

    def _same(self, messages: Sequence[object]) -> int:
        """How many messages at the beginning are those of the last request."""
        pairs = enumerate(zip(self._messages, messages, strict=False))
        shorter = min(len(self._messages), len(messages))
        return next((place for place, (old, new) in pairs if old != new), shorter)


def stamp(epoch_s: float) -> str:
    """Return a moment as people and machines read it, UTC."""
    moment = datetime.datetime.fromtimestamp(epoch_s, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _worth_keeping(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if name in _HEADERS or any(part in name for part in _HEADER_PARTS)
    }


def _json(line: BaseModel) -> bytes:
    tree = line.model_dump(mode="json")
    try:
        return json.dumps(tree, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair in the history
        return json.dumps(tree).encode() + b"\n"
