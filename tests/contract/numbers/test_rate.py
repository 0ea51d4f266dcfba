"""Shares and their intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest  # type: ignore[import-untyped]

from agent_runner.batch.numbers.rate import rate

COUNTS = st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("resolved", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
     (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_the_numbers_of_newcombe_1998_table_1_method_3(
    resolved: int, of: int, low: float, high: float
) -> None:
    found = rate(resolved, of)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


@given(COUNTS)
def test_it_is_what_scipy_says(counts: tuple[int, int]) -> None:
    found, known = rate(*counts), binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=1e-6)


@given(COUNTS)
def test_an_interval_holds_its_share_and_lies_between_0_and_1(counts: tuple[int, int]) -> None:
    found = rate(*counts)
    assert found.low is not None
    assert found.rate is not None
    assert found.high is not None
    assert 0 <= found.low <= found.rate <= found.high <= 1


def test_nothing_of_nothing_is_no_share() -> None:
    found = rate(0, 0)
    assert (found.of, found.rate, found.low, found.high) == (0, None, None, None)
