"""Reasoning that a server left in the text: `<think>...</think>` at its beginning."""

import re

from agent_runner.provider.salvage.surroundings import Surroundings

_OPEN = re.compile(r"\s*<think>")
_CLOSE = "</think>"


def split_think(content: str) -> tuple[str | None, str]:
    """Return the reasoning at the beginning of `content`, None where there is none, and the rest.

    A reply that ends within its reasoning is all reasoning. Templates that open the tag themselves
    leave only the closing one; it counts unless it is quoted, in a fence or in a shown diff.
    """
    opened = _OPEN.match(content)
    begin = opened.end() if opened else 0
    end = content.find(_CLOSE, begin)
    if end < 0:
        return (content[begin:], "") if opened else (None, content)
    if not opened and ("<think>" in content[:end] or not _stands_alone(content, end)):
        return None, content
    return content[begin:end], content[end + len(_CLOSE) :]


def _stands_alone(content: str, at: int) -> bool:
    after = content[at + len(_CLOSE) : at + len(_CLOSE) + 1]
    return after not in {'"', "'", "`"} and not Surroundings(content).quoted(at)
