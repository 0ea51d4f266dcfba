"""Which request meets which fault: by a schedule, or by a seeded draw."""

import hashlib
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from agent_runner.document import read_document
from agent_runner.nearest import nearest
from agent_runner.testing.catalogue import FAULTS, Timing
from agent_runner.testing.chat import Chat

_VALUE = ConfigDict(frozen=True, extra="forbid")
_UNIT = 2.0**64
DRAWN = tuple(fault.name for fault in FAULTS.values() if fault.drawn)


def _known(name: object) -> str:
    # 503 without quotes is a number in YAML.
    text = str(name)
    if text not in FAULTS:
        raise ValueError(f"no fault is called {text!r}{nearest(text, FAULTS) or ''}")
    return text


FaultName = Annotated[str, BeforeValidator(_known)]


def _weights(given: object) -> object:
    return dict.fromkeys(given, 1.0) if isinstance(given, list) else given


class Scheduled(BaseModel):
    """A fault at a certain place.

    Attributes:
        turn: that turn of each conversation, from 1.
        request: that request of the endpoint, from 1.
        times: so many askings of the turn in a row, or requests, meet it; null: all from there on.
    """

    model_config = _VALUE

    fault: FaultName
    turn: int | None = Field(default=None, ge=1)
    request: int | None = Field(default=None, ge=1)
    times: int | None = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.turn is None) == (self.request is None):
            raise ValueError("needs either turn or request")
        return self

    def meets(self, number: int, turn: int, asked: int) -> bool:
        """Say whether the request that is `number` of all and `asked` of its turn meets it."""
        if self.request is not None:
            gone = number - self.request
        else:
            gone = asked if turn == self.turn else -1
        return gone >= 0 and (self.times is None or gone < self.times)


class FaultPlan(BaseModel):
    """A whole plan, as `--faults FILE` holds it.

    What is drawn depends on the seed, on the conversation, on the turn and on how often that turn
    was asked before, and on nothing else: the same conversations meet the same faults in whatever
    order they come. Conversations that begin with the same words are one to it, unless the request
    has a `user`.

    Attributes:
        schedule: looked at first, the first that fits counts.
        rate: how likely a request is to meet a fault.
        faults: what is drawn from, as a list or with weights; without it all that a good client
            gets over by trying again.
        most_in_a_row: a turn that met so many drawn faults is answered; null: no bound.
    """

    model_config = _VALUE

    seed: int = 0
    rate: float = Field(default=0.0, ge=0, le=1)
    faults: Annotated[
        dict[FaultName, Annotated[float, Field(gt=0)]],
        BeforeValidator(_weights),
        Field(min_length=1),
    ] = dict.fromkeys(DRAWN, 1.0)
    most_in_a_row: int | None = Field(default=None, ge=1)
    schedule: tuple[Scheduled, ...] = ()
    timing: Timing = Timing()

    @classmethod
    def load(cls, path: Path) -> "FaultPlan":
        """Read `path`.

        Raises:
            UsageError: it cannot be read, is not YAML, or has an unknown or a wrong key.
        """
        return read_document(path, cls)

    def fault(self, number: int, chat: Chat, asked: int) -> str | None:
        """Return what a request meets.

        Args:
            number: which of the endpoint's requests it is, from 1.
            asked: how often this turn of this conversation was asked before.
        """
        for each in self.schedule:
            if each.meets(number, chat.turn, asked):
                return each.fault
        if self.most_in_a_row is not None and asked >= self.most_in_a_row:
            return None
        if _drawn(self.seed, chat.conversation, chat.turn, asked, "whether") >= self.rate:
            return None
        return self._pick(_drawn(self.seed, chat.conversation, chat.turn, asked, "which"))

    def _pick(self, drawn: float) -> str:
        reached = accumulate(self.faults.values())
        wanted = drawn * sum(self.faults.values())
        return next(
            (name for name, sum_ in zip(self.faults, reached, strict=True) if wanted < sum_),
            next(reversed(self.faults)),
        )


def _drawn(*what: str | int) -> float:
    """Return a number from 0 up to 1 that looks random and depends on `what` alone."""
    text = ":".join(str(each) for each in what)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / _UNIT
