"""The ends of an interval are where the rate seen is just as far off as it may be."""

from math import isclose, sqrt
from statistics import NormalDist

from hypothesis import given
from hypothesis import strategies as st

from agent_runner.batch.interval import Interval, wilson

Z = NormalDist().inv_cdf(0.975)


@given(st.integers(0, 2_000), st.integers(1, 2_000))
def test_both_ends_solve_the_equation_of_the_score_test(part: int, total: int) -> None:
    successes = min(part, total)
    ends = wilson(successes, total)
    rate = successes / total
    assert 0 <= ends.low <= rate <= ends.high <= 1
    for end in (ends.low, ends.high):
        assert isclose(abs(rate - end), Z * sqrt(end * (1 - end) / total), abs_tol=1e-7)


def test_a_published_example_and_none_at_all() -> None:
    ends = wilson(81, 263)  # Newcombe 1998, table I, method 3
    assert (round(ends.low, 4), round(ends.high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 0) == Interval(0.0, 1.0)
