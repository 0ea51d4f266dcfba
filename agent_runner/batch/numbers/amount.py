"""Sum and percentiles of something each episode has."""

from collections.abc import Iterable
from math import fsum
from statistics import quantiles

from agent_runner.result import Record

Number = int | float


class Amount(Record):
    """How much there was of something, per episode.

    Attributes:
        known, unknown: episodes that say how much, and that do not.
        sum: of the known ones; p50, p90 and most are of them, too. Null where none is known.
    """

    known: int
    unknown: int
    sum: Number | None
    p50: Number | None
    p90: Number | None
    most: Number | None


def amount(values: Iterable[Number | None], decimals: int) -> Amount:
    """What is known of it; None is an episode that does not say."""
    every = list(values)
    known = sorted(value for value in every if value is not None)
    if not known:
        return Amount(known=0, unknown=len(every), sum=None, p50=None, p90=None, most=None)
    # One value alone is every percentile of itself; `quantiles` wants two.
    tenths = quantiles(known * 2 if len(known) == 1 else known, n=10, method="inclusive")
    whole = all(isinstance(value, int) for value in known)
    return Amount(
        known=len(known),
        unknown=len(every) - len(known),
        sum=sum(known) if whole else round(fsum(known), decimals),
        p50=round(tenths[4], decimals),
        p90=round(tenths[8], decimals),
        most=round(known[-1], decimals),
    )
