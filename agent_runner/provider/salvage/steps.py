"""The steps of a repair: what was done, for which tool, and what stood there before."""

from dataclasses import dataclass, field

from agent_runner.provider.records import RepairKind, RepairStep

KEPT_CHARS = 300


@dataclass
class Steps:
    """Collects the steps of one reply."""

    taken: list[RepairStep] = field(default_factory=list)

    def add(self, kind: RepairKind, tool: str | None, before: str, why: str | None = None) -> None:
        """Writes down one step; of a long text its beginning and its end are kept."""
        self.taken.append(RepairStep(kind=kind, tool=tool, before=excerpt(before), why=why))


def excerpt(text: str) -> str:
    """Return `text`, bounded: what decides is mostly how it begins and where it ends."""
    if len(text) <= KEPT_CHARS:
        return text
    half = KEPT_CHARS // 2
    return f"{text[:half]} [{len(text) - 2 * half} characters] {text[-half:]}"
