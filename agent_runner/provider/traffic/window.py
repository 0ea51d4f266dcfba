"""The number of requests in flight: additive increase, multiplicative decrease."""

import math
from dataclasses import dataclass

from agent_runner.provider.traffic.policy import TrafficPolicy

_CAREFUL = 0.1
_CHANCE = 0.2
_IN_A_ROW = 3


@dataclass(frozen=True)
class Entry:
    """One request in flight: in which round trip it was sent, and how many there were with it."""

    round: int
    level: int


class Window:
    """How many requests may be under way to one endpoint; arithmetic alone, it never waits.

    Like TCP's congestion window (RFC 5681): below the last known good number it doubles per round
    trip, above it grows by one. Close to the number that was too many it grows ten times slower,
    so that a steady limit of the endpoint costs about one refusal in ten round trips. A refusal at
    a number that others were answered at is chance, unless three in a row or a fifth of all are.

    Attributes:
        limit: requests that may be in flight, rounded down; at least 1.
        most: the limit is never above it.
        in_flight: requests under way.
    """

    def __init__(self, policy: TrafficPolicy) -> None:
        self._decrease = policy.decrease
        self.most = float(policy.most_in_flight)
        self.limit = float(min(policy.start_in_flight, policy.most_in_flight))
        self.in_flight = 0
        self._round = 0
        self._answered = self._refused = self._in_a_row = 0
        self._proven = 0
        self._peak = 0
        self._doubling_below = math.inf
        self._too_many = math.inf
        self._borne = 0

    @property
    def has_room(self) -> bool:
        """Whether one more request may go."""
        return self.in_flight < int(self.limit)

    def enter(self) -> Entry:
        """Count one request in; what is returned belongs to its end."""
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)
        return Entry(self._round, self.in_flight)

    def leave(self) -> None:
        """Count one out that says nothing about the endpoint's load."""
        self.in_flight -= 1

    def succeeded(self, entry: Entry) -> None:
        """Count one out that was answered; the limit grows only where half of it is in use."""
        self._answered += 1
        self._in_a_row = 0
        self._proven = max(self._proven, entry.level)
        is_used = 2 * self.in_flight >= int(self.limit)
        self.in_flight -= 1
        if not is_used:
            return
        if self.limit >= self._too_many:
            self._borne += 1
            if self._borne > self.limit:  # a whole round trip of so many was borne after all
                self._too_many = math.inf
        if self.limit < self._doubling_below:
            step = 1.0
        elif self.limit < self._too_many - 1:
            step = 1.0 / self.limit
        else:
            step = _CAREFUL / self.limit
        self.limit = min(self.most, self.limit + step)

    def overloaded(self, entry: Entry) -> bool:
        """Count one out that was refused for load, and say whether that was news.

        What was sent before the last decrease only repeats what brought it about.
        """
        were = self.in_flight
        self.in_flight -= 1
        if entry.round < self._round:
            return False
        self._refused += 1
        self._in_a_row += 1
        if entry.level <= self._proven and self._may_be_chance:
            return True
        self._round += 1
        self._borne = 0
        self._too_many = were if were > 1 else math.inf
        # Room that nobody used since the last time says nothing about what would be borne.
        self.limit = max(1.0, min(self.limit, self._peak) * self._decrease)
        self._peak = self.in_flight
        self._answered = self._refused = self._in_a_row = 0
        self._proven = min(self._proven, int(self.limit))
        self._doubling_below = self.limit
        return True

    @property
    def _may_be_chance(self) -> bool:
        by_chance = _CHANCE * (self._answered + self._refused)
        return self._in_a_row < _IN_A_ROW and self._refused <= max(1.0, by_chance)

    def restart(self) -> None:
        """Begin with one request again, after the endpoint was down."""
        self._doubling_below = max(self.limit / 2, 1.0)
        self.limit = 1.0

    def bound(self, most: int) -> None:
        """Let the limit never be above `most` either."""
        self.most = min(self.most, float(most))
        self.limit = min(self.limit, self.most)
