"""What a reply says beside its calls, and the calls that it says instead of making them."""

from dataclasses import replace

from agent_runner.provider.records import RepairKind
from agent_runner.provider.salvage.calls import MendedCall, Mender
from agent_runner.provider.salvage.recover import Lost, recover
from agent_runner.provider.salvage.steps import Steps
from agent_runner.provider.salvage.think import split_think
from agent_runner.provider.thought import Field, Thought
from agent_runner.provider.wire import WireMessage

_NUL, _REPLACED = "\0", "\ufffd"


def split_said(message: WireMessage, steps: Steps) -> Thought:
    """Return reasoning and text, each without what belongs to the other or cannot be sent.

    Text after a think tag keeps its leading white space: it is sent back as it came.
    """
    content, reasoning = message.content, message.reasoning_content or message.reasoning or ""
    field: Field = "reasoning_content" if message.reasoning_content else "reasoning"
    if not reasoning:
        found, rest = split_think(content)
        if found is not None:
            steps.add(RepairKind.REASONING_IN_TEXT, None, content)
            content, reasoning, field = rest, found, "think"
    elif content.lstrip().startswith("<think>"):
        found, rest = split_think(content)
        if found is not None and found.strip() == reasoning.strip():
            steps.add(RepairKind.REASONING_IN_TEXT, None, content)
            content = rest.lstrip()
    return Thought(_sendable(reasoning, steps), _sendable(content, steps), field)


def calls_said(said: Thought, mender: Mender) -> tuple[list[MendedCall], Thought]:
    """Return the calls that stand at the end of what is said, and what stands before them.

    Reasoning is looked at only where no text follows it. A call there that cannot be run becomes
    text: the model is told of it, and a message must not be empty.
    """
    in_content = bool(said.content.strip())
    text = said.content if in_content else said.reasoning
    found = recover(text, mender.offer, cut=mender.cut) if mender.offer else None
    if found is None:
        return [], said
    if isinstance(found, Lost):
        why = f"{found.why}; the reply was cut off by its length" if mender.cut else found.why
        mender.steps.add(RepairKind.CALL_LOST, found.tool, text[found.at :], why)
        if in_content:
            return [], said
        return [], replace(said, reasoning=_before(text, found.at), content=text[found.at :])
    kind = RepairKind.CALL_IN_TEXT if in_content else RepairKind.CALL_IN_REASONING
    calls = mender.recovered(found, kind)
    before = _before(text, found.at)
    if in_content:
        return calls, replace(said, content=before)
    return calls, replace(said, reasoning=before, content="")


def _before(text: str, at: int) -> str:
    return text[:at] if text[:at].strip() else ""


def _sendable(text: str, steps: Steps) -> str:
    if _NUL not in text:
        return text
    steps.add(RepairKind.TEXT_UNSENDABLE, None, text)
    return text.replace(_NUL, _REPLACED)
