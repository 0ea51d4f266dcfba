"""Calls whose name and JSON arguments stand between markers: the reader, whatever the markers."""

import re
from dataclasses import dataclass

from agent_runner.provider.salvage.decode import value_at
from agent_runner.provider.salvage.name import find_name
from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.written import END_OF_TURN, Block, Read, WrittenCall, no_tool

_FENCE = re.compile(r"\s*+(?:```(?:json)?\s*+)?", re.IGNORECASE)
_FENCE_END = re.compile(r"\s*+(?:```)?\s*+")
_LAST = re.compile(rf"(?:{END_OF_TURN}\s*+)?\Z")


@dataclass(frozen=True)
class Frame:
    """The markers of one form.

    Attributes:
        call: opens a call up to its arguments; its group `name` is the tool, `id` its id if the
            form has one.
        call_end: closes the call, and what encloses calls if it ends here.
        stop: where at the latest arguments end that are no JSON.
    """

    call: re.Pattern[str]
    call_end: re.Pattern[str]
    stop: re.Pattern[str]


def read_framed(text: str, at: int, offer: Offer, frame: Frame) -> Read:
    """Return the one call that begins at `at`.

    Markers within a JSON string are part of it; where the JSON is damaged nobody can tell, and the
    arguments are taken up to the first marker.
    """
    call = frame.call.match(text, at)
    if call is None:
        return None
    name = find_name(call["name"], offer)
    if name is None:
        return no_tool(call["name"], offer)
    written, end, closed = _arguments(text, call.end(), frame)
    open_ended = not closed and not written.strip()
    identity = call.groupdict().get("id")
    return Block((WrittenCall(offer[name], call["name"], written, identity, open_ended),), end)


def _arguments(text: str, begin: int, frame: Frame) -> tuple[str, int, bool]:
    """Return the text of the arguments, where the call ends, and whether a marker ends it."""
    fence = _FENCE.match(text, begin)
    at = fence.end() if fence else begin
    found = value_at(text, at)
    after = found[1] if found else at
    if found:
        rest = _FENCE_END.match(text, after)
        rest_at = rest.end() if rest else after
        end = frame.call_end.match(text, rest_at)
        if end:
            return text[at:after], end.end(), True
        if _LAST.match(text, rest_at) or frame.call.match(text, rest_at):
            return text[at:after], rest_at, False
    stop = frame.stop.search(text, after)
    if stop is None:
        return text[begin:], len(text), False
    end = frame.call_end.match(text, stop.start())
    return text[begin : stop.start()], end.end() if end else stop.start(), end is not None
