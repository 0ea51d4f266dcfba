"""What a reply says beside its calls, and the calls that it says instead of making them."""

from dataclasses import replace

from agent_runner.provider.records import RepairKind
from agent_runner.provider.salvage.calls import MendedCall, Mender
from agent_runner.provider.salvage.found import Lost, Recovered
from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.steps import Steps
from agent_runner.provider.salvage.think import split_think
from agent_runner.provider.thought import Field, Thought
from agent_runner.provider.wire import WireMessage

_NUL, _REPLACED = "\0", "\ufffd"


def read_said(
    message: WireMessage, mender: Mender, *, has_calls: bool
) -> tuple[list[MendedCall], Thought]:
    """Return the calls that a message says, and what it says beside them.

    A message with calls of its own (`has_calls`) is not searched for more. Text after a think tag
    keeps its leading white space: it is sent back as it came.
    """
    offer = {} if has_calls else mender.offer
    if message.reasoning_content or message.reasoning:
        said = _without_repetition(message, mender.steps)
        found = _call_in(said, offer, mender)
    else:
        # Looked for first, for a tag within the arguments of a call is no tag.
        said = Thought(content=message.content)
        found = _call_in(said, offer, mender)
        reasoning, rest = split_think(message.content, found)
        if reasoning is not None:
            mender.steps.add(RepairKind.REASONING_IN_TEXT, None, message.content)
            said = Thought(reasoning, rest, "think")
            found = _call_in(said, offer, mender)
    calls, said = _mended(said, found, mender) if found else ([], said)
    reasoning, content = (_sendable(each, mender.steps) for each in (said.reasoning, said.content))
    return calls, replace(said, reasoning=reasoning, content=content)


def _without_repetition(message: WireMessage, steps: Steps) -> Thought:
    """What a message with reasoning of its own says; a tag that only repeats it is dropped."""
    content, reasoning = message.content, message.reasoning_content or message.reasoning or ""
    field: Field = "reasoning_content" if message.reasoning_content else "reasoning"
    if content.lstrip().startswith("<think>"):
        repeated, rest = split_think(content, None)
        if repeated is not None and repeated.strip() == reasoning.strip():
            steps.add(RepairKind.REASONING_IN_TEXT, None, content)
            content = rest.lstrip()
    return Thought(reasoning, content, field)


def _text_of(said: Thought) -> str:
    """Return where calls are looked for: reasoning counts only where no text follows it."""
    return said.content if said.content.strip() else said.reasoning


def _call_in(said: Thought, offer: Offer, mender: Mender) -> Recovered | Lost | None:
    if not offer:
        return None
    # Loaded where a message has no call of its own: most never need the forms of all models.
    from agent_runner.provider.salvage.recover import recover

    return recover(_text_of(said), offer, cut=mender.cut)


def _mended(
    said: Thought, found: Recovered | Lost, mender: Mender
) -> tuple[list[MendedCall], Thought]:
    """Return the calls, and what stands before them.

    A call in the reasoning that cannot be run becomes text: the model is told of it, and a message
    must not be empty.
    """
    text, in_content = _text_of(said), bool(said.content.strip())
    before = text[: found.at] if text[: found.at].strip() else ""
    if isinstance(found, Lost):
        why = f"{found.why}; the reply was cut off by its length" if mender.cut else found.why
        lost = text[found.at :]
        mender.steps.add(RepairKind.CALL_LOST, found.tool, lost, why)
        return [], said if in_content else replace(said, reasoning=before, content=lost)
    kind = RepairKind.CALL_IN_TEXT if in_content else RepairKind.CALL_IN_REASONING
    calls = mender.recovered(found, kind)
    if in_content:
        return calls, replace(said, content=before)
    return calls, replace(said, reasoning=before, content="")


def _sendable(text: str, steps: Steps) -> str:
    if _NUL not in text:
        return text
    steps.add(RepairKind.TEXT_UNSENDABLE, None, text)
    return text.replace(_NUL, _REPLACED)
