"""A fence that holds exactly a name and arguments: how models write calls that have no markup."""

import re

from agent_runner.provider.salvage.decode import closed, value_at
from agent_runner.provider.salvage.name import find_name
from agent_runner.provider.salvage.named import call_of, is_plain_call
from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.written import Block, Broken, Form, Read

_OPEN = r"(?m:^)[ \t]{0,3}```(?i:json|tool_calls?|tool)?[ \t]*+\r?\n\s*+(?=\{)"
_HEAD = re.compile(_OPEN)
_NAME = re.compile(r"\{\s*+\"(?:name|tool)\"\s*+:\s*+\"([^\"\\]{1,128}+)\"\s*+,\s*+\"(?:arg|param)")
_END = re.compile(r"\s*+(?:```[ \t]*+(?=\r?\n|\Z)|\Z)")


def _read(text: str, at: int, offer: Offer) -> Read:
    head = _HEAD.match(text, at)
    if head is None:
        return None
    found = value_at(text, head.end())
    if found is None:
        return _damaged(text, head.end(), offer)
    end = _END.match(text, found[1])
    if end is None or not is_plain_call(found[0], offer):
        return None
    call = call_of(found[0], offer)
    return call if isinstance(call, Broken) else Block((call,), end.end())


def _damaged(text: str, at: int, offer: Offer) -> Read:
    named = _NAME.match(text, at)
    if named is None or find_name(named[1], offer) is None:
        return None
    partial = closed(text[at:].strip())
    call = call_of(partial, offer, cut=True) if partial else None
    if isinstance(call, Broken) or call is None:
        return Broken("the JSON in the fence is damaged", find_name(named[1], offer))
    return Block((call,), len(text))


FENCED = Form(_OPEN, _read)
