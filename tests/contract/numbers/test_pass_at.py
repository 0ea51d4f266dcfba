"""pass@k and its bootstrap over tasks."""

from math import sqrt
from statistics import mean, pstdev

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent_runner.batch.numbers.pass_at import Tally, pass_at

ATTEMPTS = st.integers(0, 6)
TALLIES = st.lists(
    ATTEMPTS.flatmap(lambda n: st.builds(Tally, st.just(n), st.integers(0, n))), max_size=12
)


def tallies(attempts: int, *resolved: int) -> list[Tally]:
    return [Tally(attempts, each) for each in resolved]


def width(tasks: list[Tally], k: int = 1) -> float:
    found = pass_at(tasks, k)
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


@pytest.mark.parametrize(
    ("attempts", "resolved", "k", "share"),
    [(5, 2, 3, 0.9), (5, 2, 1, 0.4), (4, 1, 2, 0.5), (10, 3, 5, 1 - 21 / 252), (3, 3, 2, 1.0),
     (3, 0, 3, 0.0), (3, 1, 3, 1.0)],
)  # fmt: skip
def test_one_task_is_counted_by_hand(attempts: int, resolved: int, k: int, share: float) -> None:
    assert pass_at([Tally(attempts, resolved)], k).estimate == pytest.approx(share, abs=1e-6)


@given(TALLIES)
@settings(max_examples=25)
def test_pass_at_1_is_the_mean_rate_of_the_tasks(tasks: list[Tally]) -> None:
    rates = [task.resolved / task.attempts for task in tasks if task.attempts]
    found = pass_at(tasks, 1)
    assert found.estimate == (pytest.approx(mean(rates), abs=1e-6) if rates else None)
    assert (found.tasks, found.left_out) == (len(rates), len(tasks) - len(rates))


@given(st.integers(1, 5).flatmap(
    lambda n: st.lists(st.builds(Tally, st.just(n), st.integers(0, n)), min_size=1, max_size=6)
))  # fmt: skip
@settings(max_examples=15)
def test_more_attempts_never_make_it_less_likely(tasks: list[Tally]) -> None:
    found = [pass_at(tasks, k).estimate for k in range(1, tasks[0].attempts + 1)]
    assert found == sorted(found, key=lambda share: share or 0.0)
    assert found[-1] == pytest.approx(mean(task.resolved > 0 for task in tasks), abs=1e-6)


@given(TALLIES, st.integers(1, 6))
@example([Tally(1, 0)] * 199 + [Tally(1, 1)], 1)
@example([Tally(1, 1)] * 199 + [Tally(1, 0)], 1)
@settings(max_examples=40)
def test_an_interval_holds_its_estimate_or_says_why_there_is_none(
    tasks: list[Tally], k: int
) -> None:
    found = pass_at(tasks, k)
    assert found.tasks + found.left_out == len(tasks)
    if found.low is None or found.high is None:
        assert found.note
        assert found.low is found.high
    else:
        assert found.note is None
        assert found.estimate is not None
        assert 0 <= found.low <= found.estimate <= found.high <= 1


@pytest.mark.parametrize(
    ("tasks", "k", "note"),
    [
        ([], 1, "no task has 1 attempts with a verdict"),
        (tallies(2, 1, 2), 3, "no task has 3 attempts with a verdict"),
        (tallies(3, 1), 2, "one task alone has no spread"),
        (tallies(3, 1, 1), 1, "all 2 tasks have the same value: no spread to draw from"),
        (tallies(2, 0, 0, 0), 1, "all 3 tasks have the same value: no spread to draw from"),
    ],
)
def test_where_there_is_nothing_to_draw_from(tasks: list[Tally], k: int, note: str) -> None:
    found = pass_at(tasks, k)
    assert (found.low, found.high, found.note) == (None, None, note)


def test_a_coin_thrown_for_100_tasks_has_the_quantiles_of_the_binomial() -> None:
    # Half of them, so that neither bias nor skew moves BCa: 40 and 60 are those of B(100, 1/2).
    found = pass_at([Tally(1, n % 2) for n in range(100)], 1)
    assert (found.estimate, found.low, found.high) == (0.5, 0.4, 0.6)


def test_many_tasks_have_the_interval_of_the_normal_distribution() -> None:
    tasks = [Tally(4, n % 5) for n in range(1_000)]
    known = 2 * 1.96 * pstdev(task.resolved / 4 for task in tasks) / sqrt(len(tasks))
    assert width(tasks) == pytest.approx(known, rel=0.03)


def test_attempts_at_one_task_are_drawn_together() -> None:
    # Four attempts that always agree say no more than one.
    alone, alike = tallies(1, *[0, 1] * 30), tallies(4, *[0, 4] * 30)
    assert width(alike) == width(alone)
    assert width(alike) > 1.8 * width([Tally(1, n % 2) for n in range(240)])


def test_tasks_in_another_order_have_the_same_interval() -> None:
    tasks = [Tally(3, n % 4) for n in range(20)] + [Tally(2, 1)]
    assert pass_at(tasks, 2) == pass_at(tasks[::-1], 2) == pass_at(tasks[7:] + tasks[:7], 2)
