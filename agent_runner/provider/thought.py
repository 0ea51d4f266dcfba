"""Reasoning and text beside tool calls in the one `thought` that AutoGen keeps of both.

An AutoGen message with tool calls has one text field, `thought`. Endpoints have two, the reasoning
and the content, and want both back as they sent them. So reasoning is put before the content in a
tag that says its length and the field it came in, and found again by it whatever the texts hold.
"""

import re
from dataclasses import dataclass
from typing import Literal, cast

Field = Literal["reasoning_content", "reasoning", "think"]

_TAG = re.compile(r"<think chars=(\d+)(?: field=(reasoning|think))?>")
_END = "</think>"


@dataclass(frozen=True)
class Thought:
    """What the model wrote beside its tool calls; `field` is where the reasoning stood."""

    reasoning: str = ""
    content: str = ""
    field: Field = "reasoning_content"


def join_thought(thought: Thought) -> str | None:
    """Return the text AutoGen keeps, None where the model wrote nothing beside its calls."""
    if not thought.reasoning and not _TAG.match(thought.content):
        return thought.content or None
    field = "" if thought.field == "reasoning_content" else f" field={thought.field}"
    tag = f"<think chars={len(thought.reasoning)}{field}>"
    return f"{tag}{thought.reasoning}{_END}{thought.content}"


def split_thought(text: str | None) -> Thought:
    """Return what `join_thought` was given; a text it did not make is content."""
    text = text or ""
    tag = _TAG.match(text)
    if tag is None:
        return Thought(content=text)
    end = tag.end() + int(tag[1])
    if not text.startswith(_END, end):
        return Thought(content=text)
    field = cast("Field", tag[2] or "reasoning_content")
    return Thought(text[tag.end() : end], text[end + len(_END) :], field)
