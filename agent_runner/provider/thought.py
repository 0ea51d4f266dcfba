"""Reasoning and text beside tool calls in the one `thought` that AutoGen keeps of both.

An AutoGen message with tool calls has one text field, `thought`. Endpoints have two, the reasoning
and the content, and want both back as they sent them. So reasoning is put before the content in a
tag that says its length, and found again by it whatever the two texts hold.
"""

import re
from dataclasses import dataclass

_TAG = re.compile(r"<think chars=(\d+)>")
_END = "</think>"


@dataclass(frozen=True)
class Thought:
    """What the model wrote beside its tool calls."""

    reasoning: str = ""
    content: str = ""


def join_thought(thought: Thought) -> str | None:
    """Return the text AutoGen keeps, None where the model wrote nothing beside its calls."""
    if not thought.reasoning and not _TAG.match(thought.content):
        return thought.content or None
    return f"<think chars={len(thought.reasoning)}>{thought.reasoning}{_END}{thought.content}"


def split_thought(text: str | None) -> Thought:
    """Return what `join_thought` was given; a text it did not make is content."""
    text = text or ""
    tag = _TAG.match(text)
    if tag is None:
        return Thought(content=text)
    end = tag.end() + int(tag[1])
    if not text.startswith(_END, end):
        return Thought(content=text)
    return Thought(reasoning=text[tag.end() : end], content=text[end + len(_END) :])
