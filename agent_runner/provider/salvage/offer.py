"""The tools a request offers, as a salvaged call is measured against them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, cast

from pydantic import JsonValue

if TYPE_CHECKING:
    from jsonschema_rs import Validator
    from openai.types.chat import ChatCompletionFunctionToolParam

JsonObject = dict[str, JsonValue]
_SHOWN_CHARS = 200


@dataclass(frozen=True)
class OfferedTool:
    """One tool.

    Attributes:
        parameters: the JSON schema of its arguments.
        closable: whether arguments that were cut off may be closed and run: such a call can at
            worst look at something else than was meant.
    """

    name: str
    parameters: Mapping[str, JsonValue]
    closable: bool = False

    def property_schema(self, key: str) -> JsonObject | None:
        """Return the schema of one argument; None where the tool knows none of that name."""
        properties = self.parameters.get("properties")
        if not isinstance(properties, dict) or key not in properties:
            return None
        found = properties[key]
        return found if isinstance(found, dict) else {}

    def complaint(self, arguments: JsonObject) -> str | None:
        """Return what the schema has against `arguments`, None where it has nothing."""
        try:
            found = next(self._validator.iter_errors(arguments), None)
        except ValueError as error:  # nested too deeply, or the schema itself is broken
            return str(error)[:_SHOWN_CHARS]
        if found is None:
            return None
        place = ".".join(str(part) for part in found.instance_path)
        text = (
            found.message if len(found.message) <= _SHOWN_CHARS else f"no valid {found.kind.name}"
        )
        return f"{place}: {text}" if place else text

    @cached_property
    def _validator(self) -> "Validator":
        # Imported where the first text is taken for a call: 30 ms that most runs never need.
        from jsonschema_rs import validator_for

        return validator_for(dict(self.parameters), retriever=_refuse)


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not fetched: a tool's schema is complete by itself")


Offer = Mapping[str, OfferedTool]
"""The tools of a request by name."""


def offer_of(
    tools: Iterable["ChatCompletionFunctionToolParam"], closable: Collection[str] = ()
) -> Offer:
    """Return the tools of a request by name; `closable` names those that say so."""
    functions = [tool["function"] for tool in tools]
    return {
        each["name"]: OfferedTool(
            name=each["name"],
            parameters=cast(JsonObject, each.get("parameters", {})),
            closable=each["name"] in closable,
        )
        for each in functions
    }
