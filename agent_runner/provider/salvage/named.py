"""A call as one JSON object that holds the name and the arguments."""

from collections.abc import Collection

from pydantic import JsonValue

from agent_runner.provider.salvage.decode import object_text
from agent_runner.provider.salvage.name import find_name
from agent_runner.provider.salvage.offer import JsonObject, Offer
from agent_runner.provider.salvage.written import Broken, WrittenCall, no_tool

_NAMES = ("name", "tool", "tool_name", "function")
_ARGUMENTS = ("arguments", "parameters", "args", "input", "tool_input")
_ASIDE = frozenset({"id", "type", "index"})


def call_of(value: JsonValue, offer: Offer, *, cut: bool = False) -> WrittenCall | Broken:
    """Return the call that `value` describes; `cut` says that its text did not end."""
    if isinstance(value, dict) and isinstance(value.get("function"), dict):
        value = value["function"]
    if not isinstance(value, dict):
        return Broken("a call is an object with a name and arguments")
    key = _first(_NAMES, value)
    given = value[key] if key else None
    if key is None or not isinstance(given, str):
        return Broken("it names no tool")
    name = find_name(given, offer)
    if name is None:
        return no_tool(given, offer)
    arguments_key = _first(_ARGUMENTS, value)
    if value.keys() - _ASIDE - {key, arguments_key}:
        return Broken(f"{name}: beside name and arguments there is more", name)
    arguments = value[arguments_key] if arguments_key else ""
    if isinstance(arguments, dict):
        arguments = object_text(arguments)
        if arguments is None:
            return Broken(f"{name}: its arguments hold half a surrogate pair", name)
    return WrittenCall(offer[name], given, arguments, cut=cut)


def is_plain_call(value: JsonValue, offer: Offer) -> bool:
    """Whether `value` is exactly the name of an offered tool and its arguments."""
    if not isinstance(value, dict) or len(value) != 2:
        return False
    key, arguments_key = _first(_NAMES, value), _first(_ARGUMENTS, value)
    given = value[key] if key else None
    if arguments_key is None or not isinstance(given, str):
        return False
    fits = isinstance(value[arguments_key], dict | str)
    return fits and find_name(given, offer) is not None


def _first(keys: Collection[str], value: JsonObject) -> str | None:
    return next((key for key in keys if key in value), None)
