"""Calls whose arguments stand between tags, each as plain text: the reader, whatever the tags."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from pydantic import JsonValue

from agent_runner.provider.salvage.name import find_name
from agent_runner.provider.salvage.offer import Offer, OfferedTool
from agent_runner.provider.salvage.values import typed
from agent_runner.provider.salvage.written import (
    END_OF_TURN,
    Block,
    Broken,
    Read,
    WrittenCall,
    no_tool,
)

_SPACE = re.compile(r"\s*+")
_AFTER_LAST = re.compile(rf"\s*+(?:{END_OF_TURN}\s*+)?\Z")


class _Next(Enum):
    """What may stand after a value."""

    ARGUMENT = auto()
    OTHER_ARGUMENT = auto()  # one that the tool does not have
    END = auto()


@dataclass(frozen=True)
class Tags:
    """The tags of one form.

    Attributes:
        call: opens a call; its group `name` is the tool; `empty`, where it matched, says that the
            call is complete.
        argument: opens an argument; group `key`, and `text` or `json` where the tag says the type.
        argument_end: closes it.
        call_end: closes the call, and what encloses calls if it ends here.
        margin: whether a line break at each end of a value belongs to the tags.
    """

    call: re.Pattern[str]
    argument: re.Pattern[str]
    argument_end: re.Pattern[str]
    call_end: re.Pattern[str]
    margin: bool = False


def read_tagged(text: str, at: int, offer: Offer, tags: Tags) -> Read:
    """Return the one call that begins at `at`.

    A closing tag within a value is part of it unless the argument really ends there: models write
    such tags in patches, and only their place tells the two apart.
    """
    call = tags.call.match(text, at)
    if call is None:
        return None
    name = find_name(call["name"], offer)
    if name is None:
        return no_tool(call["name"], offer)
    reader = _Reader(text, offer, offer[name], tags)
    if call.groupdict().get("empty"):
        return reader.empty(call["name"], call.end())
    return reader.read(call["name"], call.end())


@dataclass(frozen=True)
class _Reader:
    text: str
    offer: Offer
    tool: OfferedTool
    tags: Tags

    def empty(self, given: str, at: int) -> Block:
        end = self.tags.call_end.match(self.text, self._space(at))
        return self._block(given, {}, end.end() if end else at, open_ended=False)

    def read(self, given: str, at: int) -> Read:
        arguments: dict[str, JsonValue] = {}
        while argument := self.tags.argument.match(self.text, self._space(at)):
            key = argument["key"].strip()
            if self.tool.property_schema(key) is None or key in arguments:
                why = "stands twice" if key in arguments else "is unknown"
                return Broken(f"{self.tool.name}: its argument {key[:80]!r} {why}", self.tool.name)
            end = self._value_end(argument.end())
            if end is None:
                return self._cut(given, arguments, argument)
            arguments[key] = self._value(argument, self.text[argument.end() : end.start()])
            at = end.end()
        end = self.tags.call_end.match(self.text, self._space(at))
        if end:
            return self._block(given, arguments, end.end(), open_ended=False)
        if self._is_last(at) or self.tags.call.match(self.text, self._space(at)):
            return self._block(given, arguments, at, open_ended=True)
        return Broken(f"{self.tool.name}: its arguments are not all in tags", self.tool.name)

    def _block(
        self, given: str, arguments: dict[str, JsonValue], end: int, *, open_ended: bool
    ) -> Block:
        call = WrittenCall(self.tool, given, arguments, open_ended=open_ended)
        return Block((call,), end)

    def _value(self, argument: "re.Match[str]", raw: str) -> JsonValue:
        if self.tags.margin:
            raw = raw.removeprefix("\n").removesuffix("\n")
        named = argument.groupdict()
        is_text = True if named.get("text") else (False if named.get("json") else None)
        return typed(raw, self.tool.property_schema(argument["key"].strip()) or {}, is_text=is_text)

    def _cut(
        self, given: str, arguments: dict[str, JsonValue], argument: "re.Match[str]"
    ) -> Block | Broken:
        """The text ends within a value: as far as it goes, and never more than that is claimed."""
        raw = self.text[argument.end() :]
        if not self.tool.closable or not raw.strip() or self.tags.argument_end.search(raw):
            return Broken(f"{self.tool.name}: its arguments do not end", self.tool.name)
        arguments[argument["key"].strip()] = self._value(argument, raw.rstrip())
        call = WrittenCall(self.tool, given, arguments, cut=True)
        return Block((call,), len(self.text))

    def _value_end(self, begin: int) -> "re.Match[str] | None":
        """Return the tag that closes a value: the first one that markup follows.

        Tags within the value that pair up are passed over. Where that would also pass over what
        may be the end of this very value, or where a call begins within it and nothing else ends,
        two readings are possible and none is taken.
        """
        openings = (match.start() for match in self.tags.argument.finditer(self.text, begin))
        opening = next(openings, None)
        within: re.Match[str] | None = None
        two_readings = False
        nested = 0
        for end in self.tags.argument_end.finditer(self.text, begin):
            while opening is not None and opening < end.start():
                opening = next(openings, None)
                nested += 1
            follows = self._follows(end.end())
            if nested == 0 and follows:
                return None if two_readings else end
            if follows:
                within = within or end
                two_readings = two_readings or follows is not _Next.OTHER_ARGUMENT
            nested = max(0, nested - 1)
        if within and self.tags.call.search(self.text, begin, within.start()):
            return None
        return within

    def _follows(self, at: int) -> "_Next | None":
        """Return what markup goes on at `at`, None where what stands there is no markup."""
        at = self._space(at)
        argument = self.tags.argument.match(self.text, at)
        if argument:
            known = self.tool.property_schema(argument["key"].strip()) is not None
            return _Next.ARGUMENT if known else _Next.OTHER_ARGUMENT
        end = self.tags.call_end.match(self.text, at)
        at = end.end() if end else at
        if self._is_last(at):
            return _Next.END
        call = self.tags.call.match(self.text, self._space(at))
        return _Next.END if call and find_name(call["name"], self.offer) else None

    def _is_last(self, at: int) -> bool:
        return _AFTER_LAST.match(self.text, at) is not None

    def _space(self, at: int) -> int:
        space = _SPACE.match(self.text, at)
        return space.end() if space else at
