"""The lines of a recording.

The first is a `Header`, each further one an `Exchange`: one attempt. A request is stored as what it
has more than the one before it, so that the file grows with the history and not with its square:

    messages of request n = the first `kept` messages of request n-1, then `messages`
    settings of request n = `settings`, or those of request n-1 where it is null

`sha256` is that of the whole request: the JSON of each message (keys sorted, no spaces, ASCII) with
a line feed after it, then the same of the settings.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, JsonValue

from agent_runner.provider.exchange import Answer
from agent_runner.provider.profile import ModelProfile

Level = Literal["off", "meta", "full"]
Tree = dict[str, JsonValue]

_LINE = ConfigDict(frozen=True, extra="forbid")


class Header(BaseModel):
    """What was recorded.

    Attributes:
        recording: the version of the format.
        level: `meta` keeps sizes, statuses and times, `full` every byte.
        began: date and time, UTC.
        profile: the model's profile as it was resolved, without its key.
        learned: which of its keys `doctor --provider` had found out.
    """

    model_config = _LINE

    type: Literal["header"] = "header"
    recording: Literal[1] = 1
    level: Level
    task_id: str
    began: str
    agent_runner: str
    profile: ModelProfile
    learned: tuple[str, ...] = ()


class RequestLine(BaseModel):
    """A request; `messages` and `settings` are null in a recording of level `meta`."""

    model_config = _LINE

    total: int
    kept: int
    messages: tuple[Tree, ...] | None
    settings: Tree | None
    sha256: str


class ResponseLine(BaseModel):
    """An answer; the body is text, or base64 where its bytes are no UTF-8."""

    model_config = _LINE

    status: int
    headers: dict[str, str]
    size_bytes: int
    text: str | None = None
    base64: str | None = None

    @classmethod
    def of(cls, answer: Answer, headers: Mapping[str, str], *, with_body: bool) -> Self:
        """Return the line for `answer`."""
        said = {"status": answer.status, "headers": headers, "size_bytes": len(answer.body)}
        if not with_body:
            return cls.model_validate(said)
        try:
            return cls.model_validate({**said, "text": answer.body.decode()})
        except UnicodeDecodeError:
            return cls.model_validate({**said, "base64": base64.b64encode(answer.body).decode()})

    @property
    def body(self) -> bytes | None:
        """The body's bytes, None where it was not kept.

        Raises:
            ValueError: what should be base64 is none.
        """
        if self.base64 is not None:
            return base64.b64decode(self.base64, validate=True)
        return None if self.text is None else self.text.encode()


class ExchangeLine(BaseModel):
    """One attempt.

    Attributes:
        call: the model call it was made for, from 1.
        attempt: which attempt of that call, from 1.
        began: date and time, UTC.
        response: None where no answer came; `broke` says why.
    """

    model_config = _LINE

    type: Literal["exchange"] = "exchange"
    call: int
    attempt: int
    began: str
    duration_s: float
    invocation_id: str | None
    request: RequestLine
    response: ResponseLine | None
    broke: str | None


def canonical(tree: object) -> str:
    """Return the one JSON text of `tree`."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))


def sha256_of(messages: Iterable[object], settings: object) -> str:
    """Return the checksum of a whole request."""
    return finished(hashed(hashlib.sha256(), [canonical(each) for each in messages]), settings)


def hashed(state: "hashlib._Hash", texts: Sequence[str]) -> "hashlib._Hash":
    """Return a checksum that goes on from `state` over the JSON of more messages."""
    state = state.copy()
    for text in texts:
        state.update(text.encode() + b"\n")
    return state


def finished(state: "hashlib._Hash", settings: object) -> str:
    """Return the checksum of a request whose messages are in `state`."""
    return hashed(state, [canonical(settings)]).hexdigest()
