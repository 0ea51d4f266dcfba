"""The circuit breaker of one endpoint: after many failures in a row one request tries for all."""

import random

from agent_runner.errors import ProviderFault
from agent_runner.provider.traffic.policy import TrafficPolicy


class Breaker:
    """Closed, open until a moment, or half-open with one request under way; it never waits itself.

    Moments are seconds of `time.monotonic()`.

    Attributes:
        fault: the last failure since the endpoint answered; None while it answers.
        down_since: when the first failure since then came; None while it answers.
        opened_at: when it opened; None while it is closed.
        until: when it lets the next request try.
        probing: whether that request is under way.
    """

    def __init__(self, policy: TrafficPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self._wait_s = policy.breaker_wait_s
        self.fault: ProviderFault | None = None
        self.down_since: float | None = None
        self.opened_at: float | None = None
        self.until = 0.0
        self.probing = False

    def admits(self, now: float) -> bool:
        """Whether a request may go now."""
        return self.opened_at is None or (not self.probing and now >= self.until)

    def failed(self, now: float, fault: ProviderFault, *, counts: bool, probe: bool) -> bool:
        """Take down a failure, and say whether it opened the breaker.

        Args:
            counts: False for one that only repeats what a failure of its round trip said.
            probe: whether it is that of the one request that tried.
        """
        self.fault = fault
        if self.down_since is None:
            self.down_since = now
        if self.opened_at is not None:
            if probe:
                self._wait_s = min(2 * self._wait_s, self._policy.breaker_max_wait_s)
                self._wait(now)
            return False
        self._failures += counts
        if self._failures < self._policy.breaker_failures:
            return False
        self.opened_at = now
        self._wait(now)
        return True

    def answered(self) -> bool:
        """Take down that the endpoint works, and say whether that closed the breaker."""
        was_open = self.opened_at is not None
        self._failures = 0
        self._wait_s = self._policy.breaker_wait_s
        self.fault = self.down_since = self.opened_at = None
        self.probing = False
        return was_open

    def _wait(self, now: float) -> None:
        self.probing = False
        # Processes that share an endpoint should not try at the same moment.
        self.until = now + self._wait_s * random.uniform(0.5, 1.0)
