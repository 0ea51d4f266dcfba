"""An interval of a mean, drawn from what was seen."""

from collections.abc import Sequence
from math import fsum, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Resamples at once; all of them would be 160 MB for 2,000 values.
AT_ONCE = 500


def bca(
    values: Sequence[float], resamples: int, seed: int, confidence: float
) -> tuple[float, float]:
    """Both ends of the mean's interval: bias-corrected and accelerated (Efron 1987).

    The draws and the ends are those of `scipy.stats.bootstrap(..., method="BCa")`, to the rounding
    of floats: a test holds both together. Importing that takes longer than all else a summary does.

    Args:
        values: at least two, not all equal; equal sums must be so to the last bit.
        resamples: how many means of values drawn with replacement.
        seed: of `numpy.random.default_rng`.
        confidence: how often such an interval holds the true mean.
    """
    import numpy as np

    normal = NormalDist()
    seen = np.asarray(values, dtype=float)
    means = _means(seen, resamples, seed)
    mean = seen.mean()
    # Where the mean stands among the resamples: those equal to it count half.
    bias = normal.inv_cdf(float((means < mean).mean() + (means <= mean).mean()) / 2)
    skew = _acceleration(seen.tolist(), float(mean))
    tail = normal.inv_cdf((1 - confidence) / 2)
    shares = [normal.cdf(bias + (bias + z) / (1 - skew * (bias + z))) for z in (tail, -tail)]
    low, high = np.quantile(means, shares)
    return float(low), float(high)


def _means(seen: "NDArray[np.float64]", resamples: int, seed: int) -> "NDArray[np.float64]":
    import numpy as np

    rng = np.random.default_rng(seed)
    sizes = [min(AT_ONCE, resamples - begun) for begun in range(0, resamples, AT_ONCE)]
    return np.concatenate(
        [seen[rng.integers(0, len(seen), (size, len(seen)))].mean(axis=-1) for size in sizes]
    )


def _acceleration(values: Sequence[float], mean: float) -> float:
    """A sixth of the skewness of the jackknife's means, which for a mean are linear in a value."""
    squares = fsum((value - mean) ** 2 for value in values)
    return fsum((value - mean) ** 3 for value in values) / (6 * squares * sqrt(squares))
