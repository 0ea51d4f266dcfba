"""The clock of a run: seconds per stage, disjoint, monotonic."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

NAMES = (
    "image", "mirror", "workspace", "clone", "install", "tests_before", "agent", "tests_after",
    "collect", "grade",
)  # fmt: skip
WITHIN_AGENT = ("model_wait", "throttle_wait", "tools")


@dataclass
class Stages:
    """Measures stages; time inside a nested one is taken from the outer."""

    started_s: float
    seconds: dict[str, float] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _last: str = "start"
    _raised: BaseException | None = None

    @property
    def current(self) -> str:
        """The stage that runs, or ran last: where an error happened."""
        return self._open[-1] if self._open else self._last

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time inside for a stage."""
        began_s = time.monotonic()
        outer = self._open[-1] if self._open else None
        self._open.append(name)
        try:
            yield
        except BaseException as error:
            if error is not self._raised:  # an inner stage named the place already
                self._raised, self._last = error, name
            raise
        else:
            self._last = outer or name
        finally:
            self._open.pop()
            spent_s = time.monotonic() - began_s
            self.add(name, spent_s)
            if outer is not None:
                self.add(outer, -spent_s)

    def add(self, name: str, spent_s: float) -> None:
        """Adds seconds measured elsewhere."""
        self.seconds[name] = self.seconds.get(name, 0.0) + spent_s

    def rounded(self) -> dict[str, float]:
        """Seconds with three decimals, in the order of the contract; stages that ran only."""
        order = (*NAMES, *WITHIN_AGENT)
        return {name: round(self.seconds[name], 3) for name in order if name in self.seconds}

    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return round(time.monotonic() - self.started_s, 3)
