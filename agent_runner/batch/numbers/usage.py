"""What a batch used of the provider."""

from collections.abc import Sequence

from agent_runner.batch.entry import Entry
from agent_runner.batch.numbers.amount import Amount, amount
from agent_runner.result import Record, RetriedUsage, Status

USD_DECIMALS = 6


class Retried(Record):
    """What replies used that were thrown away and asked for again, as far as it was counted.

    Attributes:
        cost_usd: is in the cost of the episodes, too.
        uncounted: requests that may have been billed, though nobody said for how many tokens.
    """

    prompt_tokens: int
    completion_tokens: int
    cost_usd: Amount
    uncounted: int


class Usage(Record):
    """Tokens and money of the tries that stand, over the episodes that asked a model.

    Attributes:
        episodes: that asked a model at least once; only they can have an unknown amount.
        retries: requests beyond one per call; `retried` is what they used.
        cost_per_resolved_usd: null while one cost is unknown, or nothing is resolved.
    """

    episodes: int
    calls: int
    retries: int
    prompt_tokens: Amount
    completion_tokens: Amount
    cached_tokens: Amount
    reasoning_tokens: Amount
    retried: Retried
    cost_usd: Amount
    cost_per_resolved_usd: float | None


def usage(entries: Sequence[Entry]) -> Usage:
    """Sums up what the episodes used."""
    asked = [entry.usage for entry in entries if entry.usage.calls]
    cost_usd = amount((each.cost_usd for each in asked), USD_DECIMALS)
    resolved = sum(entry.status is Status.RESOLVED for entry in entries)
    each_usd = None
    if resolved and cost_usd.sum is not None and not cost_usd.unknown:
        each_usd = round(cost_usd.sum / resolved, USD_DECIMALS)
    return Usage(
        episodes=len(asked),
        calls=sum(each.calls for each in asked),
        retries=sum(each.retries for each in asked),
        prompt_tokens=amount((each.prompt_tokens for each in asked), 0),
        completion_tokens=amount((each.completion_tokens for each in asked), 0),
        cached_tokens=amount((each.cached_tokens for each in asked), 0),
        reasoning_tokens=amount((each.reasoning_tokens for each in asked), 0),
        retried=_retried([each.retried for each in asked if each.retries]),
        cost_usd=cost_usd,
        cost_per_resolved_usd=each_usd,
    )


def _retried(found: Sequence[RetriedUsage]) -> Retried:
    return Retried(
        prompt_tokens=sum(each.prompt_tokens for each in found),
        completion_tokens=sum(each.completion_tokens for each in found),
        cost_usd=amount((each.cost_usd for each in found), USD_DECIMALS),
        uncounted=sum(each.uncounted for each in found),
    )
