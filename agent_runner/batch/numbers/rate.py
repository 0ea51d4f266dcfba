"""A share, and how sure it is."""

from agent_runner.batch.interval import LEVEL, wilson
from agent_runner.result import Record

CONFIDENCE = LEVEL
DECIMALS = 6


class Rate(Record):
    """A share with its Wilson interval, as fractions; null where `of` is 0."""

    resolved: int
    of: int
    rate: float | None
    low: float | None
    high: float | None


def rate(resolved: int, of: int) -> Rate:
    """How many of how many, and how sure that is."""
    if of == 0:
        return Rate(resolved=0, of=0, rate=None, low=None, high=None)
    sure = wilson(resolved, of, CONFIDENCE)
    return Rate(
        resolved=resolved,
        of=of,
        rate=round(resolved / of, DECIMALS),
        low=round(sure.low, DECIMALS),
        high=round(sure.high, DECIMALS),
    )
