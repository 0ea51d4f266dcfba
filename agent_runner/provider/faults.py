"""What a failed answer means: retry, give up, or the end of the context."""

import datetime
import email.utils
import math
import re
from collections.abc import Mapping
from http import HTTPStatus

from pydantic_core import from_json

from agent_runner.errors import ProviderFault, ProviderKind

_LINE_CHARS = 600
_BODY_BYTES = 8_192
_RETRYABLE = frozenset({408, 409, 425, 429})
_MAY_BE_OVERFLOW = frozenset({400, 413, 422})
_CLIENT_ERROR, _SERVER_ERROR, _LAST = 400, 500, 600
# OpenAI, DeepSeek, vLLM, SGLang, llama.cpp, Groq, Cerebras, Moonshot, Z.ai, Qwen, MiniMax, xAI,
# TGI, Bedrock, Azure, and gateways that pass on others' words.
_OVERFLOW = re.compile(
    r"context[ _-]?(length|window|size)|prompt is too long|too many (input |prompt )?tokens"
    r"|reduce the length of the (messages|prompt|input)|token count .{0,40}exceeds"
    r"|exceeds? .{0,60}maximum .{0,40}tokens|exceeded model token limit|maximum prompt length"
    r"|(prompt|input) (exceeds|is too long|length exceeds)|range of input length should be"
    r"|inputs?`? tokens \+ `?max_new_tokens|too large for model with|tokens_limit_reached",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"<(style|script)\b.*?</\1\s*>|<[^<>]*>", re.IGNORECASE | re.DOTALL)
_MILLISECONDS = 100_000_000_000  # an epoch in seconds has fewer digits until the year 5138


class ContextOverflow(Exception):
    """The prompt no longer fits the model: a normal end of an episode, no fault of anybody.

    Attributes:
        message: what the endpoint said, one line.
        status: the HTTP status it said it with.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class AnswerFault(ProviderFault):
    """A provider fault that one answer of the endpoint, or its absence, stands for.

    Attributes:
        retry_after_s: seconds the endpoint asked to be left alone, None where it did not.
        sent: whether the request reached the endpoint, as far as anybody knows.
    """

    def __init__(
        self,
        kind: ProviderKind,
        message: str,
        *,
        retryable: bool = False,
        status: int | None = None,
        invocation_id: str | None = None,
        retry_after_s: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(
            kind, message, retryable=retryable, status=status, invocation_id=invocation_id
        )
        self.retry_after_s = retry_after_s
        self.sent = sent


def fault_of(status: int, headers: Mapping[str, str], body: bytes) -> AnswerFault | ContextOverflow:
    """Return what an answer with a status other than 2xx means.

    `x-should-retry: true|false` overrules the status, as in the official OpenAI clients.
    """
    text = error_text(body)
    if status in _MAY_BE_OVERFLOW and tells_of_overflow(body):
        return ContextOverflow(text, status)
    told = headers.get("x-should-retry", "").lower()
    retryable = status in _RETRYABLE or status >= _SERVER_ERROR
    if told in {"true", "false"}:
        retryable = told == "true"
    kind = _kind(status, _code(body), retryable=retryable)
    if kind in {ProviderKind.AUTH, ProviderKind.QUOTA, ProviderKind.MODEL}:
        retryable = False
    return AnswerFault(
        kind,
        f"{status} {_phrase(status)}: {text}{_reset_of(body)}{_target_of(headers)}",
        retryable=retryable,
        status=status,
        invocation_id=invocation_of(headers),
        retry_after_s=retry_after_s(headers),
    )


def invocation_of(headers: Mapping[str, str]) -> str | None:
    """Return the endpoint's own id of a request (Chutes' header, else OpenAI's)."""
    return headers.get("x-chutes-invocationid") or headers.get("x-request-id") or None


def tells_of_overflow(body: bytes) -> bool:
    """Say whether an error body is about a prompt that does not fit the model's context."""
    return _OVERFLOW.search(f"{error_text(body)} {_code(body)}") is not None


def told_status(error: object) -> int | None:
    """Return the HTTP status that the error object of a 200 names as its code (OpenRouter does)."""
    code = error.get("code") if isinstance(error, dict) else None
    told = isinstance(code, int) and _CLIENT_ERROR <= code < _LAST
    return code if told else None


def error_text(body: bytes) -> str:
    """Return what an error body says, on one line of bounded length."""
    said = _said(_tree(body)) or _text_of(body[:_BODY_BYTES].decode("utf-8", "replace"))
    line = " ".join(said.split()) or "an empty body"
    return line if len(line) <= _LINE_CHARS else f"{line[:_LINE_CHARS]}…"


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the wait asked for by `Retry-After` in seconds or as a date (RFC 9110 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    try:
        exact = headers.get("retry-after-ms")  # OpenAI's own, and what its clients obey first
        wait_s = float(exact) / 1_000 if exact else float(value)
    except ValueError:
        wait_s = _until(value)
    return wait_s if math.isfinite(wait_s) and wait_s > 0 else None


def _until(date: str) -> float:
    try:
        moment = email.utils.parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return (moment - datetime.datetime.now(datetime.UTC)).total_seconds()


def _kind(status: int, code: str, *, retryable: bool) -> ProviderKind:
    match status:
        case 401 | 403:
            return ProviderKind.AUTH
        case 402:
            return ProviderKind.QUOTA
        case 404:
            return ProviderKind.MODEL
        case 429 if "insufficient_quota" in code:
            return ProviderKind.QUOTA
        case 408 | 425 | 429:
            return ProviderKind.UNAVAILABLE
        case 409 if retryable:
            return ProviderKind.UNAVAILABLE
    return ProviderKind.UNAVAILABLE if status >= _SERVER_ERROR else ProviderKind.REPLY


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no known status"


def _tree(body: bytes) -> object:
    try:
        return from_json(body)
    except ValueError:
        return None


def _said(tree: object) -> str | None:
    """Find the sentence in `{"error": {"message": ...}}`, `{"detail": ...}` and their like."""
    if isinstance(tree, list):
        return _said(tree[0]) if tree else None
    for key in ("error", "detail", "message", "msg"):
        inner = tree.get(key) if isinstance(tree, dict) else None
        if inner:
            return inner if isinstance(inner, str) else _said(inner)
    return None


def _code(body: bytes) -> str:
    """Return the code and the type of OpenAI's error object; "" where there are none."""
    tree = _tree(body)
    error = tree.get("error") if isinstance(tree, dict) else None
    return f"{error.get('code')} {error.get('type')}" if isinstance(error, dict) else ""


def _reset_of(body: bytes) -> str:
    """Name the time at which Chutes says a used-up quota is renewed."""
    found = re.search(rb'"quota_reset_timestamp"\s*:\s*"?([0-9A-Za-z:.+ -]{1,40})', body)
    return f" (quota renewed at {_moment(found[1].decode().strip())})" if found else ""


def _moment(told: str) -> str:
    """Return a time of the epoch as people read it, anything else as it is."""
    try:
        seconds = float(told)
        seconds = seconds / 1_000 if seconds >= _MILLISECONDS else seconds
        return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return told


def _target_of(headers: Mapping[str, str]) -> str:
    """Name where a redirect leads: it is not followed, as the key belongs to one origin."""
    target = headers.get("location", "").partition("?")[0]
    return f" (leads to {target[:_LINE_CHARS]}; not followed)" if target else ""


def _text_of(page: str) -> str:
    """Return what a person reads of an HTML page; other text as it is."""
    return _MARKUP.sub(" ", page) if page.lstrip().startswith("<") else page
