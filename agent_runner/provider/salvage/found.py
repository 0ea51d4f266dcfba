"""What was found in a text: calls that can be run, or one that was lost."""

from dataclasses import dataclass

from agent_runner.provider.salvage.arguments import Settled
from agent_runner.provider.salvage.offer import OfferedTool


@dataclass(frozen=True)
class RecoveredCall:
    """A call that fits its tool's schema.

    Attributes:
        given: the name as it was written.
        written: the arguments as they were written.
        settled: the arguments as JSON text.
        identity: the id that the model wrote, None where it wrote none.
    """

    tool: OfferedTool
    given: str
    written: str
    settled: Settled
    identity: str | None


@dataclass(frozen=True)
class Recovered:
    """All calls of a text, and where the first of them begins."""

    calls: tuple[RecoveredCall, ...]
    at: int


@dataclass(frozen=True)
class Lost:
    """What was meant as a call and cannot be run.

    Attributes:
        at: where it begins.
        why: what is wrong with it, for the model.
    """

    at: int
    why: str
    tool: str | None = None
