"""The wait an endpoint asked of all its callers, and their coming back one by one."""

import random

from agent_runner.errors import ProviderFault


class Pause:
    """A `Retry-After` that holds for everybody.

    Those it held up come back spread at random over `spread_s`, in the order they came in: the
    gaps are those of as many callers that each draw a wait of their own ("full jitter").

    Attributes:
        since: when it was asked for, by `time.monotonic()`.
        until: when it ends; 0 where there is none.
        fault: what it was asked with; None where there is none.
    """

    def __init__(self, spread_s: float) -> None:
        self._spread_s = spread_s
        self._gap_s = 0.0
        self._held_up = 0
        self._next_at = 0.0
        self.since = 0.0
        self.until = 0.0
        self.fault: ProviderFault | None = None

    def ask(self, now: float, seconds: float, fault: ProviderFault) -> None:
        """Hold everybody for so many seconds; the longest wait asked for counts."""
        if now + seconds > self.until:
            self.since, self.until, self.fault = now, now + seconds, fault

    @property
    def opens_at(self) -> float:
        """When the next caller may go."""
        return max(self.until, self._next_at)

    def let_in(self, now: float, waiting: int) -> None:
        """Take down that one goes and `waiting` stay behind."""
        if self.fault is not None:
            self.fault, self.until = None, 0.0
            self._held_up = waiting
            self._gap_s = self._spread_s / max(1, waiting)
        if self._held_up:
            self._held_up -= 1
            self._next_at = now + random.uniform(0, 2 * self._gap_s)
