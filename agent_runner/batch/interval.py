"""How far a rate can be trusted."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """Both ends of what a rate may really be, each within 0 and 1."""

    low: float
    high: float


def wilson(successes: int, total: int, level: float = LEVEL) -> Interval:
    """The score interval of a share (Wilson 1927), without correction for continuity.

    Closed and quick, so that a display need not load a library of statistics.

    Args:
        total: of what; 0 says nothing, so anything between 0 and 1 may be true.
        level: how often such an interval holds the true rate.
    """
    if total == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate, spread = successes / total, z * z / total
    middle = (rate + spread / 2) / (1 + spread)
    half = z * sqrt((rate * (1 - rate) + spread / 4) / total) / (1 + spread)
    # Rounding must not put an end on the wrong side of the rate: all of many is 1, and so is high.
    return Interval(min(rate, max(0.0, middle - half)), max(rate, min(1.0, middle + half)))
