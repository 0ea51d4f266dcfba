"""A row of the benchmark: what must hold, what was measured, and beside what."""

from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from typing import Literal

from pydantic import BaseModel, ConfigDict, computed_field

Measure = Callable[[], Awaitable[float]]


class Record(BaseModel):
    """What the report holds: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Series(Record):
    """Samples of one thing, in seconds, in the order they were taken."""

    name: str
    samples_s: tuple[float, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def n(self) -> int:
        """How many."""
        return len(self.samples_s)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def p50_s(self) -> float:
        """The median."""
        return round(median(self.samples_s), 4)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def min_s(self) -> float:
        """The quickest."""
        return min(self.samples_s)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def max_s(self) -> float:
        """The slowest."""
        return max(self.samples_s)

    def minus(self, other: "Series", name: str) -> "Series":
        """The difference, round by round."""
        pairs = zip(self.samples_s, other.samples_s, strict=True)
        return Series(name=name, samples_s=tuple(round(a - b, 4) for a, b in pairs))


class Row(Record):
    """One line of the table.

    Attributes:
        must_s: the median may be this much at most; None where nothing is demanded.
        measured: None where it could not be measured, see `failure`.
        baseline: taken in the same run, by turns with `measured`.
        parts: what else was taken by turns with it.
    """

    what: str
    must_s: float | None = None
    measured: Series | None = None
    baseline: Series | None = None
    parts: tuple[Series, ...] = ()
    failure: str = ""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ratio(self) -> float | None:
        """Median over the baseline's median."""
        if self.measured is None or self.baseline is None:
            return None
        return round(self.measured.p50_s / self.baseline.p50_s, 2)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def verdict(self) -> Literal["pass", "miss", "info"]:
        """Whether what must hold does; what could not be measured does not."""
        if self.measured is None:
            return "miss"
        if self.must_s is None:
            return "info"
        return "pass" if self.measured.p50_s <= self.must_s else "miss"


async def by_turns(n: int, measures: Mapping[str, Measure]) -> tuple[Series, ...]:
    """Takes n samples of each, one of each per round, so that load falls on all alike."""
    samples: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(n):
        for name, measure in measures.items():
            samples[name].append(round(await measure(), 4))
    return tuple(Series(name=name, samples_s=tuple(taken)) for name, taken in samples.items())
