"""The calls of a reply, mended so that every endpoint takes them back."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import JsonValue
from pydantic_core import to_json

from agent_runner.provider.records import RepairKind
from agent_runner.provider.salvage.arguments import Settled, settle
from agent_runner.provider.salvage.found import Recovered, RecoveredCall
from agent_runner.provider.salvage.name import find_name
from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.steps import Steps
from agent_runner.provider.wire import WireCall

INVALID_ARGUMENTS_KEY = "__invalid_json__"
"""The key of the object that stands for arguments that were no JSON object."""

CUT_ARGUMENTS_KEY = "__cut_by_length__"
"""Beside it, true, where the reply was cut off by its length limit within them."""

_KEPT_CHARS = 4_000
_UNSENDABLE = re.compile(r"[^A-Za-z0-9_-]")
_NO_ID = re.compile(r"[\s\x00-\x1f]")
_NAME_CHARS = 64  # what the OpenAI API takes as a function's name


@dataclass(frozen=True)
class MendedCall:
    """One call that can be sent: `arguments` is the text of a JSON object."""

    id: str
    name: str
    arguments: str


@dataclass
class Mender:
    """Mends the calls of one reply and writes down each step."""

    offer: Offer
    steps: Steps
    cut: bool

    def structured(self, wire: list[WireCall]) -> list[MendedCall] | None:
        """Return the calls of the reply's own list; None where one does not even name a tool."""
        if any(not call.function.name or not call.function.name.strip() for call in wire):
            return None
        calls: list[MendedCall] = []
        for number, call in enumerate(wire, start=1):
            given = call.function.name or ""
            name = self._name(given)
            identity = self._identity(call.id, name, (each.id for each in calls))
            cut = self.cut and number == len(wire)
            calls.append(MendedCall(identity, name, self._arguments(call, name, cut=cut)))
        return calls

    def recovered(self, found: Recovered, kind: RepairKind) -> list[MendedCall]:
        """Return the calls that were found in a text."""
        calls: list[MendedCall] = []
        for call in found.calls:
            name = call.tool.name
            self.steps.add(kind, name, f"{call.given} {call.written}")
            self._note(call.settled, name, call.written)
            identity = call.identity
            if identity is None or identity in {each.id for each in calls}:
                identity = _new_id()
            calls.append(MendedCall(identity, name, call.settled.text))
            self._note_name(call)
        return calls

    def _note_name(self, call: RecoveredCall) -> None:
        # The id of Kimi's own form holds the name with its prefix and index: nothing to mend.
        if call.given != call.tool.name and call.identity is None:
            self.steps.add(RepairKind.TOOL_NAME, call.tool.name, call.given)

    def _identity(self, given: str | None, name: str, taken: Iterable[str]) -> str:
        given = given if given and not _NO_ID.search(given) else None
        if given and given not in set(taken):
            return given
        kind = RepairKind.CALL_ID_REPEATED if given else RepairKind.CALL_ID_MISSING
        self.steps.add(kind, name, given or "")
        return _new_id()

    def _name(self, given: str) -> str:
        name = find_name(given, self.offer) or _UNSENDABLE.sub("_", given.strip())[:_NAME_CHARS]
        if name != given:
            self.steps.add(RepairKind.TOOL_NAME, name, given)
        return name

    def _arguments(self, call: WireCall, name: str, *, cut: bool) -> str:
        given = call.function.arguments
        settled = settle(given, self.offer.get(name), cut=cut)
        text = _as_text(given)
        if settled is not None:
            self._note(settled, name, text)
            return settled.text
        kind = RepairKind.ARGUMENTS_CUT if cut else RepairKind.ARGUMENTS_INVALID
        self.steps.add(kind, name, text)
        stand_in: dict[str, JsonValue] = {INVALID_ARGUMENTS_KEY: text[:_KEPT_CHARS]}
        return to_json(stand_in | ({CUT_ARGUMENTS_KEY: True} if cut else {})).decode()

    def _note(self, settled: Settled, name: str, before: str) -> None:
        for kind in settled.kinds:
            self.steps.add(kind, name, before)


def _as_text(given: JsonValue) -> str:
    if isinstance(given, str):
        return given
    return "" if given is None else to_json(given).decode()


def _new_id() -> str:
    return f"call_{uuid.uuid4().hex}"
