"""Our own bootstrap beside scipy's."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap  # type: ignore[import-untyped]

from agent_runner.batch.numbers.bootstrap import AT_ONCE, bca

# Some more than a whole number of lots.
RESAMPLES = 2 * AT_ONCE + 99


def scipys(values: list[int], resamples: int, seed: int, confidence: float) -> tuple[float, float]:
    found = bootstrap(
        (np.asarray(values, dtype=float),),
        np.mean,
        vectorized=True,
        method="BCa",
        n_resamples=resamples,
        batch=AT_ONCE,
        confidence_level=confidence,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


@given(
    st.lists(st.integers(0, 12), min_size=2, max_size=60).filter(lambda each: len(set(each)) > 1),
    st.integers(0, 5),
    st.sampled_from([0.8, 0.95, 0.99]),
)
@example([0] * 199 + [1], 0, 0.95)
@example([1] * 199 + [0], 0, 0.95)
@example([0, 1], 0, 0.99)
@settings(max_examples=60)
def test_it_is_what_scipy_says(values: list[int], seed: int, confidence: float) -> None:
    ours = bca(values, RESAMPLES, seed, confidence)
    assert ours == pytest.approx(scipys(values, RESAMPLES, seed, confidence), rel=1e-12)


def test_it_is_what_scipy_says_of_a_whole_benchmark() -> None:
    values = sorted(n * n % 5 for n in range(500))
    ours = bca(values, 9_999, 0, 0.95)
    assert ours == pytest.approx(scipys(values, 9_999, 0, 0.95), rel=1e-12)
