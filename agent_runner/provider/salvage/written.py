"""A call as a model wrote it in its text."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import JsonValue

from agent_runner.provider.salvage.offer import Offer, OfferedTool


@dataclass(frozen=True)
class WrittenCall:
    """One call to an offered tool.

    Attributes:
        given: the name as it was written.
        arguments: JSON text as it was written, or the values that markup named.
        identity: the id the model gave it, None where the form has none.
        open_ended: whether nothing shows that the arguments are complete.
        cut: whether they surely are not.
    """

    tool: OfferedTool
    given: str
    arguments: JsonValue
    identity: str | None = None
    open_ended: bool = False
    cut: bool = False


@dataclass(frozen=True)
class Block:
    """Calls that stand together, and where they end."""

    calls: tuple[WrittenCall, ...]
    end: int


@dataclass(frozen=True)
class Broken:
    """What can only be meant as a call and is none.

    Attributes:
        why: for the model, in a few words.
    """

    why: str
    tool: str | None = None


END_OF_TURN = (
    r"<[|\uff5c]\s?(?:[^<>|\uff5c\s]{0,30}end[^<>|\uff5c\s]{0,30}|e[o0]t_id|eom_id|return|call"
    r"|observation|user|assistant|system)\s?[|\uff5c]>"
)
"""Markers that end something, which a server should have taken off and that say nothing."""

Read = Block | Broken | None
"""None: what stands there is no call at all."""


@dataclass(frozen=True)
class Form:
    """One way to write calls.

    Attributes:
        opener: a regular expression for the places where one may begin.
        read: reads at such a place. The work is bounded by what is read, so that a text of openers
            alone takes linear time.
    """

    opener: str
    read: Callable[[str, int, Offer], Read]


def no_tool(given: str, offer: Offer) -> Broken:
    """Return what is said of a name that nobody offered."""
    return Broken(f"there is no tool {given.strip()[:80]!r}; use {', '.join(offer)}")
