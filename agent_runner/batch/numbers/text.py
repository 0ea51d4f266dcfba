"""Numbers as people read them."""

from agent_runner.batch.numbers.amount import Amount
from agent_runner.batch.numbers.rate import Rate

MINUTE_S, HOUR_S = 60, 3600


def rate_text(rate: Rate) -> str:
    """A rate, its interval, and what it is a rate of."""
    counted = f"{rate.resolved} of {rate.of}"
    if rate.rate is None or rate.low is None or rate.high is None:
        return counted
    return f"{rate.rate:6.1%}  {interval_text(rate.low, rate.high)}  {counted}"


def interval_text(low: float, high: float) -> str:
    """Both ends, as wide as the widest, so that what follows stands in a column."""
    return f"{f'[{low:.1%}, {high:.1%}]':<15}"


def counts_text(counts: dict[str, int]) -> str:
    """How many of each."""
    return ", ".join(f"{n} {name}" for name, n in counts.items())


def seconds_text(spent_s: float | None) -> str:
    """A time as people say it."""
    if spent_s is None:
        return "-"
    if spent_s < MINUTE_S:
        return f"{spent_s:.1f} s"
    whole_s = round(spent_s)
    minutes, hours = whole_s // MINUTE_S, whole_s // HOUR_S
    if hours:
        return f"{hours} h {minutes % MINUTE_S} min"
    return f"{minutes} min {whole_s % MINUTE_S} s"


def tally_text(amount: Amount) -> str:
    """A sum, and how many episodes it leaves out."""
    if amount.sum is None:
        return "unknown"
    return f"{amount.sum:,}{f' (and {amount.unknown} unknown)' if amount.unknown else ''}"
