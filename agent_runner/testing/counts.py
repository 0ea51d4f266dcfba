"""What the fake endpoint has served: requests, and the tokens it bills for them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from aiohttp import web
from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

_VALUE = ConfigDict(frozen=True, extra="forbid")
_FOREIGN = ConfigDict(frozen=True, extra="ignore")
NO_ANSWER = "none"
"""The status of a request that got none: its connection ended, or its client went away."""


class Tokens(BaseModel):
    """Token counts; `cached` is part of `prompt`."""

    model_config = _VALUE

    prompt: int = 0
    completion: int = 0
    cached: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(
            prompt=self.prompt + other.prompt,
            completion=self.completion + other.completion,
            cached=self.cached + other.cached,
        )


NOTHING = Tokens()


_BILLED = web.RequestKey("billed", Tokens)
_TOLD = web.RequestKey("told", Tokens)


class Stats(BaseModel):
    """What `GET /stats` says.

    Attributes:
        requests: chat completions asked for, refused ones included.
        by_status: requests by the status they were answered with, `none` where no answer began.
        by_fault: requests by the fault they met.
        billed: tokens of all replies that were computed, those lost on the way included.
        told: tokens in the `usage` of whole answers: what a client can know of them.
    """

    model_config = _VALUE

    requests: int = 0
    by_status: Mapping[str, int] = {}
    by_fault: Mapping[str, int] = {}
    billed: Tokens = NOTHING
    told: Tokens = NOTHING


@dataclass(frozen=True)
class Visit:
    """One request for a chat completion, and what became of it.

    Attributes:
        number: which of all it was, from 1.
        conversation: what the requests of one conversation have in common; None, as `turn` and
            `asked`, where the request was refused.
        asked: how often its turn had been asked before.
        status: None where no answer began.
    """

    number: int
    conversation: str | None = None
    turn: int | None = None
    asked: int | None = None
    fault: str | None = None
    status: int | None = None
    billed: Tokens = NOTHING
    told: Tokens = NOTHING


class _Details(BaseModel):
    model_config = _FOREIGN

    cached_tokens: int | None = None


class _Usage(BaseModel):
    model_config = _FOREIGN

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class _Body(BaseModel):
    model_config = _FOREIGN

    usage: _Usage | None = None


class Counts:
    """Counts while the endpoint serves."""

    def __init__(self) -> None:
        self._requests = 0
        self._by_status: Counter[str] = Counter()
        self._by_fault: Counter[str] = Counter()
        self._billed = NOTHING
        self._told = NOTHING

    def arrived(self) -> int:
        """Count a request, and return its number from 1."""
        self._requests += 1
        return self._requests

    def ended(
        self, request: web.Request, response: web.StreamResponse | None, visit: Visit
    ) -> Visit:
        """Count what became of a request and return it as it ended.

        Args:
            response: None where nobody waits for one any more.
        """
        began = isinstance(response, web.Response) or (response is not None and response.prepared)
        status = response.status if response is not None and began else None
        seen = request.get(_TOLD, NOTHING)
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            seen = told(response.body)
        visit = replace(visit, status=status, billed=billed(request), told=seen)
        self._billed += visit.billed
        self._told += visit.told
        self._by_status[str(status or NO_ANSWER)] += 1
        if visit.fault is not None:
            self._by_fault[visit.fault] += 1
        return visit

    def stats(self) -> Stats:
        """Return the counts as of now."""
        return Stats(
            requests=self._requests,
            by_status=dict(sorted(self._by_status.items())),
            by_fault=dict(sorted(self._by_fault.items())),
            billed=self._billed,
            told=self._told,
        )


def bill(request: web.Request, tokens: Tokens) -> None:
    """Note that a reply was computed for `request`, whether or not it will arrive."""
    request[_BILLED] = billed(request) + tokens


def billed(request: web.Request) -> Tokens:
    """Return what was billed for `request`."""
    tokens: Tokens = request.get(_BILLED, NOTHING)
    return tokens


def tell(request: web.Request, tokens: Tokens) -> None:
    """Note that `request` was answered, by other means than a `web.Response`, naming `tokens`."""
    request[_TOLD] = tokens


def told(body: bytes) -> Tokens:
    """Return the tokens that the `usage` of a body names; zeros where it names none."""
    try:
        usage = _Body.model_validate(from_json(body)).usage
    except ValueError:  # pydantic's ValidationError is one
        usage = None
    if usage is None:
        return NOTHING
    details = usage.prompt_tokens_details or _Details()
    return Tokens(
        prompt=usage.prompt_tokens or 0,
        completion=usage.completion_tokens or 0,
        cached=details.cached_tokens or 0,
    )
