"""JSON as models write it: a value at a place, the text of an object, a text that was cut off."""

import json
import re
from typing import NoReturn

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from agent_runner.provider.salvage.offer import JsonObject

_NUMBER_AT_END = re.compile(r"[-+.0-9eE]{1,400}\Z")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


# Not strict: a line break within a string can only be meant as the line break it is.
_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse)


def value_at(text: str, at: int = 0) -> tuple[JsonValue, int] | None:
    """Return the JSON value that begins at `at` and where it ends; None where there is none."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None
    return value, end


def is_object(text: str) -> bool:
    """Whether `text` is a JSON object as the strictest endpoint would have it.

    Python's own decoder also takes NaN, control characters and lone surrogates.
    """
    try:
        return isinstance(from_json(text, allow_inf_nan=False), dict)
    except ValueError:
        return False


def object_text(value: JsonObject) -> str | None:
    """Return `value` as JSON text; None where it holds what no JSON can, half a surrogate pair."""
    try:
        text = to_json(value).decode()
    except (ValueError, RecursionError):
        return None
    return text if is_object(text) else None


def is_cut(text: str) -> bool:
    """Whether `text` is the beginning of a JSON value and nothing in it is wrong."""
    try:
        from_json(text, allow_inf_nan=False)
    except ValueError as error:
        return str(error).startswith("EOF while parsing")
    return False


def closed(text: str) -> JsonObject | None:
    """Return the object that `text` is the beginning of, as far as it goes; None where it is empty.

    A text cut within a string keeps what there is of it; a number at the very end is left out, for
    its other digits may be missing.
    """
    if not is_cut(text):
        return None
    try:
        from_json(text, allow_inf_nan=False)
    except ValueError as error:
        if not str(error).startswith("EOF while parsing a string"):
            text = _NUMBER_AT_END.sub("", text)
    value = from_json(text, allow_inf_nan=False, allow_partial="trailing-strings")
    return value if isinstance(value, dict) and value else None
