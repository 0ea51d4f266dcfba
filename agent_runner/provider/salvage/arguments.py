"""The arguments of a call, from whatever was written to the text of one JSON object."""

import re
from dataclasses import dataclass

from pydantic import JsonValue
from pydantic_core import to_json

from agent_runner.provider.records import RepairKind
from agent_runner.provider.salvage.decode import closed, is_object, object_text, value_at
from agent_runner.provider.salvage.literal import json_of_literal
from agent_runner.provider.salvage.offer import JsonObject, OfferedTool

_MOST_ENCODINGS = 5
_FENCE = re.compile(r"\s*(?:```+[ \t]*(?:json)?[ \t]*\n|json\s*(?=\{))", re.IGNORECASE)
# What may stand after a complete object. No letter and no quote: those could be the rest of an
# argument in which a quote was not escaped.
_JUNK = re.compile(
    r"(?:[\s}\])>;,.`]|</?[A-Za-z_]{1,40}(?:=[\w-]{1,40})?>|<[|\uff5c][^<>|\uff5c\"']{1,40}[|\uff5c]>)*+\Z"
)
_WRAPPERS = ("arguments", "parameters")


@dataclass(frozen=True)
class Settled:
    """The text of a JSON object, and what it took to get it."""

    text: str
    kinds: tuple[RepairKind, ...] = ()


def settle(given: JsonValue, tool: OfferedTool | None, *, cut: bool) -> Settled | None:
    """Return the one object that `given` can mean, None where it means none or more than one.

    Args:
        given: what the reply holds: JSON text as a rule, an object, nothing.
        tool: the tool that is called, None for one that was not offered.
        cut: whether the reply was cut off by its length just here.
    """
    if isinstance(given, dict):
        text = object_text(given)
        return Settled(text, (RepairKind.ARGUMENTS_NOT_TEXT,)) if text else None
    text = given if isinstance(given, str) else to_json(given).decode()
    if text.strip() in {"", "null"}:
        # Cut before its arguments began, a call would run with all defaults instead.
        return None if cut else Settled("{}", (RepairKind.ARGUMENTS_EMPTY,))
    found = _spelled(text, not_text=not isinstance(given, str))
    if found is not None:
        return _unwrapped(found, tool)
    return close(text, tool)


def close(text: str, tool: OfferedTool | None) -> Settled | None:
    """Return `text` with what is open closed, for a tool that allows it and if the schema does."""
    if tool is None or not tool.closable:
        return None
    value = closed(text.strip())
    written = object_text(value) if value else None
    if value is None or written is None or tool.complaint(value):
        return None
    return Settled(written, (RepairKind.ARGUMENTS_CLOSED,))


def plain_object(text: str) -> str | None:
    """Return the text of the one object in `text` once wrong spelling is undone."""
    found = _spelled(text, not_text=False)
    return found.text if found else None


def _spelled(text: str, *, not_text: bool) -> Settled | None:
    """Undo wrong spelling, layer by layer, without a look at what the object says."""
    kinds: list[RepairKind] = [RepairKind.ARGUMENTS_NOT_TEXT] if not_text else []
    for _ in range(_MOST_ENCODINGS):
        if is_object(text):
            return Settled(text, tuple(dict.fromkeys(kinds)))
        layer = _layer(text, kinds)
        if layer is None:
            return None
        value, text = layer
        if isinstance(value, list) and len(value) == 1:
            kinds.append(RepairKind.ARGUMENTS_WRAPPED)
            value = value[0]
            text = to_json(value).decode() if _is_plain(value) else ""
        if isinstance(value, str):
            kinds.append(RepairKind.ARGUMENTS_ENCODED)
            text = value
        elif not isinstance(value, dict):
            return None
        elif not is_object(text):
            kinds.append(RepairKind.ARGUMENTS_RAW_CONTROL)
            text = object_text(value) or ""
    return None


def _layer(text: str, kinds: list[RepairKind]) -> tuple[JsonValue, str] | None:
    """Return the value `text` holds and its own text, if nothing else is said beside it."""
    fence = _FENCE.match(text)
    begin = fence.end() if fence else len(text) - len(text.lstrip())
    found = value_at(text, begin)
    if found is None:
        literal = json_of_literal(text[begin:]) if text.startswith(("{", "["), begin) else None
        found = value_at(literal) if literal else None
        if literal is None or found is None or not isinstance(found[0], dict | list):
            return None
        kinds.append(RepairKind.ARGUMENTS_LITERAL)
        text, begin = literal, 0
    value, end = found
    after = _skip_repetitions(text, begin, end)
    if after != end:
        kinds.append(RepairKind.ARGUMENTS_DOUBLED)
    if not _JUNK.match(text, after):
        return None
    if fence or text[after:].strip():
        kinds.append(RepairKind.ARGUMENTS_JUNK)
    return value, text[begin:end]


def _skip_repetitions(text: str, begin: int, end: int) -> int:
    """Return where the last repetition of `text[begin:end]` ends that follows it."""
    written = text[begin:end]
    if not written.startswith(("{", '"', "[")):
        return end
    while True:
        next_at = end + len(text[end : end + 8]) - len(text[end : end + 8].lstrip())
        if not text.startswith(written, next_at):
            return end
        end = next_at + len(written)


def _is_plain(value: JsonValue) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and object_text(value) is not None)


def _unwrapped(found: Settled, tool: OfferedTool | None) -> Settled:
    """Take the arguments out of an object that holds nothing but them, or them and the name."""
    if tool is None or ('"arguments"' not in found.text and '"parameters"' not in found.text):
        return found
    decoded = value_at(found.text)
    outer = decoded[0] if decoded else None
    inner = _inner(outer, tool) if isinstance(outer, dict) else None
    text = object_text(inner) if inner is not None else None
    if inner is None or text is None or tool.complaint(inner):
        return found
    return Settled(text, (*found.kinds, RepairKind.ARGUMENTS_WRAPPED))


def _inner(outer: JsonObject, tool: OfferedTool) -> JsonObject | None:
    key = next((key for key in _WRAPPERS if key in outer), None)
    if key is None or tool.property_schema(key) is not None:
        return None
    if outer.keys() != {key} and (outer.keys() != {key, "name"} or outer["name"] != tool.name):
        return None
    value = outer[key]
    decoded = value_at(value) if isinstance(value, str) else None
    inner = decoded[0] if decoded else value
    return inner if isinstance(inner, dict) else None
