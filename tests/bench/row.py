"""A row of the benchmark: what must hold, what was measured, and beside what."""

from collections.abc import Awaitable, Callable, Mapping
from math import ceil
from statistics import median
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

Verdict = Literal["pass", "miss", "info"]
Statistic = Literal["p50", "p90", "p99"]
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
        return round(median(self.samples_s), 6)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def p90_s(self) -> float:
        """What nine of ten do not exceed."""
        return self._rank(0.9)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def p99_s(self) -> float:
        """What 99 of 100 do not exceed; of fewer than 100, the slowest."""
        return self._rank(0.99)

    def _rank(self, share: float) -> float:
        ordered = sorted(self.samples_s)
        return ordered[max(0, ceil(len(ordered) * share) - 1)]

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

    def figure_s(self, statistic: Statistic) -> float:
        """One of the three."""
        return {"p50": self.p50_s, "p90": self.p90_s, "p99": self.p99_s}[statistic]

    def minus(self, other: "Series", name: str) -> "Series":
        """The difference, round by round."""
        pairs = zip(self.samples_s, other.samples_s, strict=True)
        return Series(name=name, samples_s=tuple(round(a - b, 6) for a, b in pairs))


class Row(Record):
    """One line of the table.

    Attributes:
        must_s: this much at most; None where nothing is demanded.
        most_ratio: of the baseline this much at most.
        statistic: what of the samples is meant.
        measured: None where it could not be measured, see `failure`.
        baseline: taken in the same run, by turns with `measured`.
        parts: what else was taken by turns with it.
    """

    what: str
    must_s: float | None = None
    most_ratio: float | None = None
    statistic: Statistic = "p50"
    measured: Series | None = None
    baseline: Series | None = None
    parts: tuple[Series, ...] = ()
    failure: str = ""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def figure_s(self) -> float | None:
        """The figure of which something is demanded."""
        if self.measured is None:
            return None
        return self.measured.figure_s(self.statistic)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ratio(self) -> float | None:
        """Over the baseline's: median over median, of a p90 that of the baseline."""
        if self.measured is None or self.baseline is None:
            return None
        of: Statistic = "p90" if self.statistic == "p90" else "p50"
        return round(self.measured.figure_s(of) / self.baseline.figure_s(of), 3)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def verdict(self) -> Verdict:
        """Whether what must hold does; what could not be measured does not."""
        if self.figure_s is None:
            return "miss"
        if self.must_s is None and self.most_ratio is None:
            return "info"
        late = self.must_s is not None and self.figure_s > self.must_s
        dear = self.most_ratio is not None and (self.ratio is None or self.ratio > self.most_ratio)
        return "miss" if late or dear else "pass"


class Count(Record):
    """One line that is no time.

    Attributes:
        beside: the same of others, in the same run.
    """

    what: str
    unit: str
    measured: float
    at_most: float | None = None
    at_least: float | None = None
    beside: Mapping[str, float] = Field(default_factory=dict)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def verdict(self) -> Verdict:
        """Whether what must hold does."""
        if self.at_most is None and self.at_least is None:
            return "info"
        over = self.at_most is not None and self.measured > self.at_most
        under = self.at_least is not None and self.measured < self.at_least
        return "miss" if over or under else "pass"


async def by_turns(n: int, measures: Mapping[str, Measure]) -> tuple[Series, ...]:
    """Takes n samples of each, one of each per round, so that load falls on all alike."""
    samples: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(n):
        for name, measure in measures.items():
            samples[name].append(round(await measure(), 6))
    return tuple(Series(name=name, samples_s=tuple(taken)) for name, taken in samples.items())
