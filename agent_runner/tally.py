"""What an episode has used: turns, tokens, money, and the seconds it waited for whom."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent_runner.result import RetriedUsage, Usage

if TYPE_CHECKING:
    from agent_runner.provider.profile import Prices
    from agent_runner.provider.records import CallRecord
    from agent_runner.provider.records import Usage as Counted


@dataclass
class Tally:
    """What an episode has used so far."""

    turns: int = 0
    records: list["CallRecord"] = field(default_factory=list)
    tools_s: float = 0.0

    @property
    def throttle_s(self) -> float:
        """Seconds for which the provider was late: waits, and attempts that failed."""
        return sum(record.throttle_wait_s for record in self.records)

    @property
    def model_s(self) -> float:
        """Seconds spent waiting for the answers themselves."""
        return sum(record.duration_s for record in self.records) - self.throttle_s

    def usage(self, prices: "Prices | None") -> Usage:
        """The episode's tokens; null where the endpoint did not count."""
        accepted = [record.usage for record in self.records if record.accepted]
        asked = [record for record in self.records if record.attempts]
        attempts = [attempt for record in asked for attempt in record.attempts]
        retried = [each for each in attempts if each.error is not None]
        counted = [each.usage for each in retried if each.usage is not None and not each.uncounted]
        return Usage(
            prompt_tokens=_sum(usage.prompt_tokens for usage in accepted),
            completion_tokens=_sum(usage.completion_tokens for usage in accepted),
            cached_tokens=_sum(usage.cached_tokens for usage in accepted),
            reasoning_tokens=_sum(usage.reasoning_tokens for usage in accepted),
            calls=len(asked),
            retries=len(attempts) - len(asked),
            cost_usd=_cost_usd(accepted + counted, prices),
            retried=RetriedUsage(
                prompt_tokens=sum(usage.prompt_tokens or 0 for usage in counted),
                completion_tokens=sum(usage.completion_tokens or 0 for usage in counted),
                cost_usd=_cost_usd(counted, prices),
                uncounted=sum(each.uncounted for each in retried),
            ),
        )


def _sum(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count or 0 for count in known)


def _cost_usd(usages: "list[Counted]", prices: "Prices | None") -> float | None:
    """What the tokens cost, cached ones at their own price; None where that is unknown."""
    if prices is None:
        return None
    costs = [prices.cost_usd(usage) for usage in usages]
    known = [cost for cost in costs if cost is not None]
    return round(sum(known), 6) if len(known) == len(costs) else None
