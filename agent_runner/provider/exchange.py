"""One attempt as it went over the wire, where its answer comes from, and who is told of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam


@dataclass(frozen=True)
class Sent:
    """The body of one request.

    Attributes:
        messages: the history.
        settings: every other key of the body: model, tools, max_tokens and so on.
    """

    messages: Sequence["ChatCompletionMessageParam"]
    settings: Mapping[str, object]


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Exchange:
    """One attempt.

    Attributes:
        answer: None where none came.
        broke: why none came, None where one did.
        began_s: when it was sent, in seconds since the epoch.
        duration_s: seconds to the whole answer or its failure.
    """

    sent: Sent
    answer: Answer | None
    broke: str | None
    began_s: float
    duration_s: float


class Source(Protocol):
    """Where answers come from: a live endpoint, or a recording of one."""

    async def ask(self, sent: Sent) -> Answer:
        """Return the answer, whatever its status.

        Raises:
            AnswerFault: none came.
        """
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...


class Tap(Protocol):
    """Is told of every attempt of one model call, those that were cancelled too."""

    def exchanged(self, exchange: Exchange) -> None:
        """Take it down; must not raise."""
        ...
