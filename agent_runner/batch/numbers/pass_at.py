"""pass@k: how likely one of k attempts resolves a task, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, lcm

from agent_runner.batch.numbers.bootstrap import bca
from agent_runner.batch.numbers.rate import CONFIDENCE, DECIMALS
from agent_runner.result import Record


class PassAt(Record):
    """How likely one of k attempts resolves a task.

    Attributes:
        tasks: that have k attempts with a verdict; the others are `left_out`.
        low, high: bootstrap over tasks; null where there is nothing to draw from, see `note`.
    """

    k: int
    tasks: int
    left_out: int
    estimate: float | None
    low: float | None
    high: float | None
    note: str | None


class Bootstrap(Record):
    """How the intervals were drawn; the same results give the same ones."""

    method: str
    cluster: str
    resamples: int
    seed: int


BOOTSTRAP = Bootstrap(method="BCa", cluster="task", resamples=9_999, seed=0)


@dataclass(frozen=True)
class Tally:
    """One task: how many of its attempts have a verdict, and how many of those are resolved."""

    attempts: int
    resolved: int


def pass_at(tasks: Sequence[Tally], k: int) -> PassAt:
    """pass@k over the tasks that have k attempts with a verdict."""
    kept = [task for task in tasks if task.attempts >= k]
    # In whole parts, so that sums are exact and those that are equal are so to the last bit; in
    # order of value, so that the draws hang on neither names nor who was first.
    parts = lcm(*(comb(task.attempts, k) for task in kept))
    values = sorted(_in_parts(task, k, parts) for task in kept)
    low, high, note = _interval(values, k)
    return PassAt(
        k=k,
        tasks=len(kept),
        left_out=len(tasks) - len(kept),
        estimate=_share(sum(values) / len(values), parts) if values else None,
        low=None if low is None else _share(low, parts),
        high=None if high is None else _share(high, parts),
        note=note,
    )


def _in_parts(task: Tally, k: int, parts: int) -> int:
    """1 - C(n-c,k)/C(n,k), unbiased where n attempts were made (Chen et al. 2021, section 2.1)."""
    ways = comb(task.attempts, k)
    return (ways - comb(task.attempts - task.resolved, k)) * parts // ways


def _share(value: float, parts: int) -> float:
    return round(value / parts, DECIMALS)


def _interval(values: Sequence[int], k: int) -> tuple[float | None, float | None, str | None]:
    if not values:
        return None, None, f"no task has {k} attempts with a verdict"
    if len(values) == 1:
        return None, None, "one task alone has no spread"
    if values[0] == values[-1]:
        return None, None, f"all {len(values)} tasks have the same value: no spread to draw from"
    return *_bootstrap(values), None


def _bootstrap(values: Sequence[int]) -> tuple[float, float]:
    """The mean over tasks drawn with replacement, all attempts of one together.

    BCa, and not plain percentiles: for 8 and 20 tasks those held the true value 90 to 94 times of
    100, BCa 94 to 99 times (simulated, resolved rates of tasks from Beta(0.4, 0.6)).
    """
    return bca(values, BOOTSTRAP.resamples, BOOTSTRAP.seed, CONFIDENCE)
