"""Reasoning that a server left in the text: `<think>...</think>` at its beginning."""

import re

from agent_runner.provider.salvage.found import Lost, Recovered
from agent_runner.provider.salvage.surroundings import Surroundings

_OPEN = re.compile(r"\s*<think>")
_CLOSE = "</think>"


def split_think(content: str, found: Recovered | Lost | None) -> tuple[str | None, str]:
    """Return the reasoning at the beginning of `content`, None where there is none, and the rest.

    A reply that ends within its reasoning is all reasoning. Templates that open the tag themselves
    leave only the closing one; it counts unless it is quoted, in a fence or in a shown diff.

    Args:
        found: the call in `content`: a tag within its arguments closes nothing.
    """
    begin_of_call = found.at if found else len(content)
    opened = _OPEN.match(content)
    if not opened:
        end = content.find(_CLOSE, 0, begin_of_call)
        if end < 0 or "<think>" in content[:end] or not _stands_alone(content, end):
            return None, content
        return content[:end], content[end + len(_CLOSE) :]
    # What is lost may be a call that was thought of; one that is good ends the text.
    beyond = begin_of_call if isinstance(found, Recovered) else len(content)
    end = content.find(_CLOSE, opened.end(), beyond)
    if end < 0:
        return content[opened.end() : beyond], content[beyond:]
    return content[opened.end() : end], content[end + len(_CLOSE) :]


def _stands_alone(content: str, at: int) -> bool:
    after = content[at + len(_CLOSE) : at + len(_CLOSE) + 1]
    return after not in {'"', "'", "`"} and not Surroundings(content).quoted(at)
