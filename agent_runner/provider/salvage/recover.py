"""From a text to the calls a model wrote into it, if that is certain."""

import re

from pydantic import JsonValue

from agent_runner.provider.records import RepairKind
from agent_runner.provider.salvage.arguments import Settled, settle
from agent_runner.provider.salvage.decode import object_text, value_at
from agent_runner.provider.salvage.deepseek import DEEPSEEK
from agent_runner.provider.salvage.dsml import DSML
from agent_runner.provider.salvage.example import is_example
from agent_runner.provider.salvage.fenced import FENCED
from agent_runner.provider.salvage.foreign import foreign_call
from agent_runner.provider.salvage.found import Lost, Recovered, RecoveredCall
from agent_runner.provider.salvage.glm import GLM
from agent_runner.provider.salvage.hermes import HERMES
from agent_runner.provider.salvage.kimi import KIMI
from agent_runner.provider.salvage.kimi_channels import KIMI_CHANNELS
from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.qwen_coder import QWEN_CODER
from agent_runner.provider.salvage.surroundings import Surroundings
from agent_runner.provider.salvage.tagged_name import TAGGED_NAME
from agent_runner.provider.salvage.written import (
    END_OF_TURN,
    Block,
    Broken,
    Read,
    WrittenCall,
)

# Forms that begin alike are tried one after the other.
_FAMILIES = {
    "tokens": (KIMI, DEEPSEEK),
    "dsml": (DSML,),
    "channels": (KIMI_CHANNELS,),
    "tag": (HERMES, TAGGED_NAME, QWEN_CODER, GLM),
    "fence": (FENCED,),
}
_OPENER = re.compile(
    "|".join(
        f"(?P<{name}>{'|'.join(dict.fromkeys(form.opener for form in forms))})"
        for name, forms in _FAMILIES.items()
    )
)
# Closing tags without an opening one, and the end of a turn that the server did not take off.
_LEFTOVERS = re.compile(rf"\s*+(?:(?:</tool_call>|{END_OF_TURN})\s*+)*+\Z")
# Each may be read to the end of the text; a text of nothing but quoted calls stays linear.
_MOST_SHOWN = 20
_MOST_CALLS = 100  # a model that repeats itself writes more
_FENCE = re.compile(r"[ \t]{0,3}```")
_SPACE = re.compile(r"\s*+")


def recover(text: str, offer: Offer, *, cut: bool) -> Recovered | Lost | None:
    """Return the calls that stand at the end of `text`.

    The first place outside of quotations that can only be meant as a call decides: what stands
    after it may be its arguments. All calls are good, or none is taken.

    Args:
        cut: whether the reply was cut off by its length.
    """
    surroundings = Surroundings(text)
    at = shown = 0
    while opener := _OPENER.search(text, at):
        begin = opener.start()
        if _is_shown(text, begin, surroundings):
            shown += 1
            at = _past(text, opener, offer) if shown <= _MOST_SHOWN else opener.end()
            continue
        first = _read(text, begin, offer)
        if first is not None:
            if is_example(text, begin, fenced=_FENCE.match(text, begin) is not None):
                return Lost(begin, "it reads as an example")
            return _all(text, begin, first, offer, cut=cut)
        at = opener.end()
    found = foreign_call(text, offer)
    if found is None or Surroundings(text).quoted(found):
        return None
    return Lost(found, "text is not read as a call")


def _past(text: str, opener: "re.Match[str]", offer: Offer) -> int:
    """Return where the calls end that are shown at `opener`; the opener's end if it shows none."""
    at = opener.end()
    read = _read(text, opener.start(), offer)
    while isinstance(read, Block):
        at = read.end
        space = _SPACE.match(text, at)
        read = _read(text, space.end() if space else at, offer)
    return at


def _is_shown(text: str, at: int, surroundings: Surroundings) -> bool:
    if _FENCE.match(text, at):
        return surroundings.in_block(at)
    return surroundings.quoted(at)


def _read(text: str, at: int, offer: Offer) -> Read:
    opener = _OPENER.match(text, at)
    forms = _FAMILIES[opener.lastgroup] if opener and opener.lastgroup else ()
    return next((read for form in forms if (read := form.read(text, at, offer)) is not None), None)


def _all(text: str, begin: int, first: Read, offer: Offer, *, cut: bool) -> Recovered | Lost:
    written: list[WrittenCall] = []
    read = first
    while True:
        if read is None:
            tool = written[-1].tool.name if written else None
            return Lost(begin, "text follows it, and a call has to be the last thing", tool)
        if isinstance(read, Broken):
            return Lost(begin, read.why, read.tool)
        written += read.calls
        if len(written) > _MOST_CALLS:
            return Lost(
                begin, f"a reply may hold {_MOST_CALLS} calls at most", written[0].tool.name
            )
        if _LEFTOVERS.match(text, read.end):
            return _checked(written, begin, cut=cut)
        space = _SPACE.match(text, read.end)
        read = _read(text, space.end() if space else read.end, offer)


def _checked(written: list[WrittenCall], begin: int, *, cut: bool) -> Recovered | Lost:
    calls: list[RecoveredCall] = []
    for number, call in enumerate(written, start=1):
        checked = _check(call, cut=cut and number == len(written))
        if isinstance(checked, str):
            return Lost(begin, f"{call.tool.name}: {checked}", call.tool.name)
        calls.append(checked)
    return Recovered(tuple(calls), begin)


def _check(call: WrittenCall, *, cut: bool) -> RecoveredCall | str:
    """Return the call, or why it cannot be run."""
    tool = call.tool
    text = object_text(call.arguments) if isinstance(call.arguments, dict) else call.arguments
    unproven = call.cut or (cut and call.open_ended)
    if unproven and not (tool.closable and _says_something(call.arguments)):
        return "its arguments were cut off"
    settled = settle(text, tool, cut=cut and call.open_ended) if isinstance(text, str) else None
    if settled is None:
        return "its arguments are no valid JSON"
    if unproven:
        settled = Settled(settled.text, (*settled.kinds, RepairKind.ARGUMENTS_CLOSED))
    decoded = value_at(settled.text)
    arguments = decoded[0] if decoded else None
    if not isinstance(arguments, dict):
        return "its arguments are no JSON object"
    complaint = tool.complaint(arguments)
    if complaint:
        return complaint
    written = text if isinstance(text, str) else settled.text
    return RecoveredCall(tool, call.given, written, settled, call.identity)


def _says_something(arguments: JsonValue) -> bool:
    return bool(arguments) and arguments != "{}"
