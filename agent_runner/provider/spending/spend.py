"""What a request costs, or may cost: tokens and money."""

from dataclasses import dataclass

from agent_runner.provider.profile import ModelProfile, Prices
from agent_runner.provider.records import Usage

_told_of: set[tuple[str, str]] = set()


@dataclass(frozen=True)
class Spend:
    """Tokens, of prompt and completion together, and US dollars."""

    tokens: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(self.tokens + other.tokens, self.cost_usd + other.cost_usd)

    def __sub__(self, other: "Spend") -> "Spend":
        return Spend(self.tokens - other.tokens, self.cost_usd - other.cost_usd)


@dataclass(frozen=True)
class Need:
    """What one request may cost at most.

    Attributes:
        completion_tokens: `max_tokens` of the request.
        least_tokens: what they may be lowered to where not all of them fit.
        prices: None where unknown; then the cost counts as nothing.
    """

    prompt_tokens: int
    completion_tokens: int
    least_tokens: int
    prices: Prices | None

    @property
    def whole(self) -> Spend:
        """The bound."""
        return self.spend(self.completion_tokens)

    def spend(self, completion_tokens: int) -> Spend:
        """Return the bound with so many tokens of completion."""
        usage = Usage(prompt_tokens=self.prompt_tokens, completion_tokens=completion_tokens)
        cost_usd = self.prices.cost_usd(usage) if self.prices else None
        return Spend(self.prompt_tokens + completion_tokens, cost_usd or 0.0)


def spend_of(usage: Usage, prices: Prices | None) -> Spend | None:
    """Return what a reply cost, None where the endpoint did not count it."""
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    cost_usd = prices.cost_usd(usage) if prices else None
    return Spend(usage.prompt_tokens + usage.completion_tokens, cost_usd or 0.0)


def missing_price(profile: ModelProfile) -> str | None:
    """Return the warning that no cost will be known, once per process and model, else None."""
    model = (profile.base_url, profile.model)
    if profile.prices is not None or model in _told_of:
        return None
    _told_of.add(model)
    return f"the price of {profile.model} is unknown, and so is the cost: set prices in models.yaml"
