"""What one question to an endpoint brought to light, and what it cost."""

from dataclasses import dataclass

from agent_runner.provider.profile import Prices
from agent_runner.provider.records import Usage


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        needed: whether runs cannot do without it.
        tokens: prompt and completion of the replies it took, as far as they were counted.
        cost_usd: None where a price or a count is unknown.
    """

    name: str
    ok: bool
    says: str
    needed: bool = True
    duration_s: float = 0.0
    tokens: tuple[int, int] = (0, 0)
    cost_usd: float | None = None


def spent(usages: list[Usage], prices: Prices | None) -> tuple[tuple[int, int], float | None]:
    """Return the tokens of some replies and what they cost."""
    prompt = sum(usage.prompt_tokens or 0 for usage in usages)
    completion = sum(usage.completion_tokens or 0 for usage in usages)
    costs = [prices.cost_usd(usage) if prices else None for usage in usages]
    known = [cost for cost in costs if cost is not None]
    return (prompt, completion), sum(known) if len(known) == len(costs) else None
