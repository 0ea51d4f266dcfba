"""Qwen and Hermes: `<tool_call>{"name": "x", "arguments": {...}}</tool_call>`."""

import re

from pydantic import JsonValue

from agent_runner.provider.salvage.arguments import plain_object
from agent_runner.provider.salvage.decode import closed, value_at
from agent_runner.provider.salvage.named import call_of
from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.written import (
    END_OF_TURN,
    Block,
    Broken,
    Form,
    Read,
    WrittenCall,
)

_HEAD = re.compile(r"<tool_call>\s*+(?=\{\s*+[\"'}]|\[\s*+\{)")
_END = re.compile(rf"[\s}}\]]*+(?:</tool_call>|(?=<tool_call>)|(?:{END_OF_TURN}\s*+)?\Z)")
_STOP = re.compile(r"</tool_call>")


def _read(text: str, at: int, offer: Offer) -> Read:
    head = _HEAD.match(text, at)
    if head is None:
        return None
    found = value_at(text, head.end())
    end = _END.match(text, found[1]) if found else None
    if found and end:
        return _block(found[0], end.end(), offer)
    stop = _STOP.search(text, found[1] if found else head.end())
    written = text[head.end() : stop.start() if stop else len(text)]
    respelled = plain_object(written)
    decoded = value_at(respelled) if respelled else None
    if decoded:
        return _block(decoded[0], stop.end() if stop else len(text), offer)
    # The arguments have ended; only the brace around them and the name is missing.
    whole = written.strip() + "}"
    braced = value_at(whole) if whole.endswith("}}") else None
    if braced and braced[1] == len(whole):
        return _block(braced[0], stop.end() if stop else len(text), offer)
    partial = closed(written.strip())
    if partial is None:
        return Broken("what stands in <tool_call> is no JSON")
    return _cut(call_of(partial, offer, cut=True), stop.end() if stop else len(text))


def _block(value: JsonValue, end: int, offer: Offer) -> Block | Broken:
    calls: list[WrittenCall] = []
    for each in value if isinstance(value, list) else [value]:
        call = call_of(each, offer)
        if isinstance(call, Broken):
            return call
        calls.append(call)
    return Block(tuple(calls), end)


def _cut(call: WrittenCall | Broken, end: int) -> Block | Broken:
    if isinstance(call, Broken):
        return Broken("the text ends before the call names a tool")
    return Block((call,), end)


HERMES = Form(r"<tool_call>", _read)
