"""An argument that was written as plain text, as the schema types it."""

from pydantic import JsonValue

from agent_runner.provider.salvage.decode import value_at
from agent_runner.provider.salvage.literal import json_of_literal
from agent_runner.provider.salvage.offer import JsonObject


def typed(text: str, schema: JsonObject, *, is_text: bool | None = None) -> JsonValue:
    """Return the value of `text`.

    Args:
        schema: of this argument; text that may only be a string is taken as it stands.
        is_text: what the markup itself says of the type, None where it says nothing.
    """
    if is_text or (is_text is None and _types(schema) == {"string"}):
        return text
    bare = text.strip()
    for spelling in (bare, json_of_literal(bare)):
        found = value_at(spelling) if spelling else None
        if found is not None and spelling is not None and found[1] == len(spelling):
            return found[0]
    return text


def _types(schema: JsonObject) -> set[str]:
    """Return the types that `schema` allows, as far as it says so plainly."""
    named = schema.get("type")
    if isinstance(named, str):
        return {named}
    if isinstance(named, list):
        return {each for each in named if isinstance(each, str)}
    choices = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(choices, list):
        return {name for each in choices if isinstance(each, dict) for name in _types(each)}
    options = schema.get("enum")
    if isinstance(options, list) and all(isinstance(each, str) for each in options):
        return {"string"}
    return set()
