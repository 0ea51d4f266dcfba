"""The faults that the fake endpoint knows, by name: what real endpoints have been seen to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from agent_runner.testing import mangling
from agent_runner.testing.behaviour import Behaviour, Canned, Dated, Drop, Stall
from agent_runner.testing.delivery import Ending, Lost, Misdeclared, Slow
from agent_runner.testing.mangling import Mangle, Mangled
from agent_runner.testing.refusals import (
    BUSY,
    LASTING,
    LIMIT,
    NO_INSTANCES,
    OVERFLOW,
    PASSING,
    Refusal,
    error,
    page,
)

_HTML = {"Content-Type": "text/html"}


class Timing(BaseModel):
    """Times of those faults that have one, in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retry_after_s: float = Field(default=1.0, ge=0)
    slow_s: float = Field(default=1.0, ge=0)
    drip_s: float = Field(default=0.1, gt=0)


Make = Callable[[Behaviour, Timing], Behaviour]


@dataclass(frozen=True)
class Fault:
    """One way to fail.

    Attributes:
        says: one line for `--list-faults`.
        drawn: among those that a rate draws from: a good client gets over it by trying again. The
            others end a run, disturb nothing, or cost too much to be met often.
        make: takes the behaviour that would have answered and gives the one that does.
    """

    name: str
    says: str
    drawn: bool
    make: Make


def _canned(name: str, row: Refusal, *, drawn: bool) -> Fault:
    status, body, says = row.status, row.body, row.says
    headers = _HTML if isinstance(body, bytes) else {}
    text = (
        f"{status}: {says}" if name[:3].isdigit() else f"{status}: the prompt is too long ({says})"
    )
    return Fault(name, text, drawn, lambda inner, timing: Canned(body, status, headers))


def _mangled(name: str, says: str, mangle: Mangle, *, drawn: bool = True, **how: str) -> Fault:
    return Fault(name, f"200: {says}", drawn, lambda inner, t: Mangled(inner, mangle, **how))


_WAITING = (
    Fault(
        "429_seconds",
        "429 with Retry-After in seconds",
        True,
        lambda inner, timing: Canned(
            error(LIMIT, "rate_limit"), 429, {"Retry-After": f"{timing.retry_after_s:g}"}
        ),
    ),
    Fault(
        "429_date",
        "429 with Retry-After as a date",
        True,
        lambda inner, timing: Dated(timing.retry_after_s, BUSY),
    ),
)
_USELESS = (
    _mangled("choices_empty", "choices is []", mangling.with_choices([])),
    _mangled("choices_null", "choices is null", mangling.with_choices(None)),
    _mangled("choices_missing", "no choices", mangling.without("choices")),
    _mangled(
        "error_200",
        "an error body",
        mangling.replaced_by(error("upstream connect error", "server_error")),
    ),
    _mangled("detail_200", "FastAPI's detail", mangling.replaced_by({"detail": NO_INSTANCES})),
    _mangled(
        "html_200",
        "a proxy's page",
        mangling.replaced_by(page("Please sign in")),
        content_type="text/html",
    ),
    _mangled("json_cut", "JSON that ends in its middle", mangling.cut),
    _mangled("body_empty", "nothing", mangling.replaced_by(b"")),
    _mangled(
        "answer_empty",
        "neither text nor a call",
        mangling.with_message(content="", tool_calls=[]),
    ),
    _mangled("utf8_invalid", "bytes that are no UTF-8", mangling.with_invalid_utf8),
    _mangled("gzip_cut", "gzip that is cut off", mangling.not_gzip, encoding="gzip"),
    _mangled("body_huge", "40 MB of white space in the body", mangling.huge, drawn=False),
)
_HARMLESS = (
    _mangled("usage_missing", "no usage", mangling.without("usage"), drawn=False),
    _mangled("usage_null", "usage with nulls", mangling.with_null_tokens, drawn=False),
    _mangled(
        "arguments_dict",
        "arguments as an object",
        mangling.with_objects_as_arguments,
        drawn=False,
    ),
    _mangled("id_null", "tool calls without an id", mangling.with_null_ids, drawn=False),
    _mangled("finish_null", "no finish reason", mangling.with_finish_reason(None), drawn=False),
    _mangled("content_null", "content is null", mangling.with_message(content=None), drawn=False),
    Fault("slow", "200: the body comes slowly, in pieces", False, lambda i, t: Slow(i, t.slow_s)),
)
_BROKEN = (
    Fault("closed", "closed without an answer", True, lambda inner, timing: Drop()),
    Fault("reset", "reset (RST) without an answer", True, lambda inner, timing: Drop(reset=True)),
    Fault("stall", "silence until the client goes", True, lambda inner, timing: Stall()),
    Fault("drip", "one byte at a time, for ever", True, lambda inner, t: Stall(t.drip_s)),
    Fault(
        "closed_body",
        "closed in the middle of the body",
        True,
        lambda i, t: Lost(i, Ending.CLOSE, 0.5),
    ),
    Fault(
        "reset_body",
        "reset in the middle of the body",
        True,
        lambda i, t: Lost(i, Ending.RESET, 0.5),
    ),
    Fault(
        "stall_body",
        "silence in the middle of the body",
        True,
        lambda i, t: Lost(i, Ending.STALL, 0.5),
    ),
    Fault(
        "lost",
        "computed and billed, and closed without an answer",
        True,
        lambda i, t: Lost(i, Ending.CLOSE),
    ),
    Fault(
        "length_long", "Content-Length says more than comes", True, lambda i, t: Misdeclared(i, 40)
    ),
    Fault(
        "length_short",
        "Content-Length says less than comes",
        True,
        lambda i, t: Misdeclared(i, -40),
    ),
)

FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        *(_canned(name, row, drawn=True) for name, row in PASSING.items()),
        *_WAITING,
        *_BROKEN,
        *_USELESS,
        *_HARMLESS,
        *(_canned(name, row, drawn=False) for name, row in LASTING.items()),
        *(_canned(name, row, drawn=False) for name, row in OVERFLOW.items()),
    )
}
"""Every fault by its name."""
