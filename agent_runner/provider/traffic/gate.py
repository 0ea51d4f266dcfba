"""The one way to an endpoint: what every request of this process, to it and with its key, passes.

Waiting callers stand in one queue, first come first served. They are let in when the window has
room, no `Retry-After` runs, and the breaker is closed; nothing polls, one timer wakes the gate.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiolimiter import AsyncLimiter

from agent_runner.errors import ProviderFault
from agent_runner.provider.failure import again, is_final, is_overload, shown
from agent_runner.provider.traffic.breaker import Breaker
from agent_runner.provider.traffic.line import Deadline, Line, Pass, Waiter
from agent_runner.provider.traffic.news import Back, News, Paused, Refused
from agent_runner.provider.traffic.pause import Pause
from agent_runner.provider.traffic.policy import TrafficPolicy
from agent_runner.provider.traffic.refusals import Refusals
from agent_runner.provider.traffic.window import Window


class Gate:
    """Limiter, breaker and memory of final refusals for one endpoint and one key.

    Attributes:
        host: the endpoint, as messages name it.
        window: how many requests may be and are under way.
        breaker: whether the endpoint is paused, and since when it fails.
        refusals: what ended it, for all or for one model.
    """

    def __init__(self, host: str, policy: TrafficPolicy | None = None) -> None:
        policy = policy or TrafficPolicy()
        self.host = host
        self.window = Window(policy)
        self.breaker = Breaker(policy)
        self.refusals = Refusals()
        self._pause = Pause(policy.spread_s)
        self._rate: AsyncLimiter | None = None
        self._line = Line()
        self._look_at = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._listeners: list[Callable[[News], None]] = []

    def bound(self, max_in_flight: int | None, requests_per_minute: float | None) -> None:
        """Hold a profile's limits too; of several the tightest counts."""
        if max_in_flight is not None:
            self.window.bound(max_in_flight)
        if requests_per_minute is not None:
            apart_s = 60 / requests_per_minute
            # One at a time: a bucket of a whole minute would let two minutes' worth go at once.
            if self._rate is None or apart_s > self._rate.time_period:
                self._rate = AsyncLimiter(1, apart_s)

    @contextmanager
    def told(self, listener: Callable[[News], None]) -> Iterator[None]:
        """Tell `listener` when the endpoint is paused, back, or refuses for good."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    @property
    def waiting(self) -> int:
        """Callers in the queue."""
        return len(self._line)

    def reason(self) -> str:
        """Say in a few words what callers wait for."""
        now = time.monotonic()
        opens_at, fault = self._opening(now)
        if fault is not None:
            left_s = opens_at - now
            return f"{shown(fault)}; {f'next try in {left_s:.0f} s' if left_s > 0 else 'trying'}"
        window = self.window
        return f"{window.in_flight} of {int(window.limit)} requests under way, {self.waiting} wait"

    async def enter(self, model: str, deadline: Deadline) -> Pass:
        """Wait until a request may go.

        Raises:
            ProviderFault: the endpoint refused for good, or is down beyond the `deadline`.
        """
        granted = await self._slot(model, deadline)
        while self._rate is not None:
            try:
                await self._rate.acquire()
                self.refusals.check(model)
            except BaseException:
                self.abandoned(granted)
                raise
            now = time.monotonic()
            if granted.is_probe or self._opening(now)[1] is None:
                break
            self.abandoned(granted)
            granted = await self._slot(model, deadline)
        return granted

    def answered(self, given: Pass) -> None:
        """Give a pass back: the endpoint works."""
        down_since = self.breaker.down_since
        self.window.succeeded(given.entry)
        if self.breaker.answered():
            self.window.restart()
            down_s = time.monotonic() - (down_since or 0.0)
            self._tell(Back(self.host, down_s))
        self._pump()

    def failed(self, given: Pass, fault: ProviderFault, retry_after_s: float | None = None) -> None:
        """Give a pass back: the endpoint failed, and may have asked all callers to wait."""
        if is_final(fault):
            self._refuse(given.model, fault)
            self.abandoned(given)
            return
        now = time.monotonic()
        is_news = True
        if is_overload(fault):
            is_news = self.window.overloaded(given.entry)
        else:
            self.window.leave()
        opened = self.breaker.failed(now, fault, counts=is_news, probe=given.is_probe)
        if retry_after_s is not None:
            self._pause.ask(now, retry_after_s, fault)
        if opened:
            self._tell(Paused(self.host, shown(fault), self._opening(now)[0] - now))
        self._look_at = 0.0
        self._pump()

    def abandoned(self, given: Pass) -> None:
        """Give a pass back of which nothing is known: cancelled, or not used."""
        self.window.leave()
        if given.is_probe:
            self.breaker.probing = False
        self._pump()

    async def _slot(self, model: str, deadline: Deadline) -> Pass:
        self.refusals.check(model)
        now = time.monotonic()
        if not self._line and self._is_open(now):
            return self._let_in(model, now)
        waiter = self._line.join(model, deadline)
        self._look_at = min(self._look_at, self._deadline_of(waiter, now))
        self._pump()
        try:
            return await waiter.let_in
        except asyncio.CancelledError:
            if waiter.let_in.cancelled():
                self._line.leave(waiter)
                self._pump()
            elif waiter.let_in.exception() is None:
                # Let in and cancelled in the same moment: the slot goes to the next.
                self.abandoned(waiter.let_in.result())
            raise

    def _opening(self, now: float) -> tuple[float, ProviderFault | None]:
        """When the endpoint may be asked again, and why not before; no fault: at any time."""
        opens_at, fault = 0.0, None
        if self.breaker.opened_at is not None:
            opens_at, fault = self.breaker.until, self.breaker.fault
        if self._pause.until > max(now, opens_at):
            opens_at, fault = self._pause.until, self._pause.fault
        return opens_at, fault

    def _is_open(self, now: float) -> bool:
        if now < self._pause.opens_at:
            return False
        # The one that tries need not wait for those that were under way when all went wrong.
        return self.breaker.admits(now) and (
            self.breaker.opened_at is not None or self.window.has_room
        )

    def _let_in(self, model: str, now: float) -> Pass:
        is_probe = self.breaker.opened_at is not None
        self.breaker.probing = is_probe
        self._pause.let_in(now, len(self._line))
        return Pass(model, self.window.enter(), is_probe)

    def _pump(self) -> None:
        """Let in whoever may go now, send away whose patience is over, and set the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._line:
            return
        now = time.monotonic()
        if now >= self._look_at:
            self._send_away(now)
        while self._is_open(now) and (waiter := self._line.next()) is not None:
            waiter.let_in.set_result(self._let_in(waiter.model, now))
        if self._line and (wake_at := min(self._look_at, self._may_open_at())) < math.inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, wake_at - now), self._pump)

    def _may_open_at(self) -> float:
        """When time alone lets the next one in; never where an end of a request must come first."""
        if self.breaker.opened_at is not None:
            return (
                math.inf if self.breaker.probing else max(self.breaker.until, self._pause.opens_at)
            )
        return self._pause.opens_at if self.window.has_room else math.inf

    def _deadline_of(self, waiter: Waiter, now: float) -> float:
        """When a waiter gives up, as things are; at once where the gate opens only after that."""
        opens_at, fault = self._opening(now)
        fault = fault or self.breaker.fault
        if fault is None:
            return math.inf
        since = self._pause.since if self.breaker.down_since is None else self.breaker.down_since
        deadline = waiter.deadline(since, fault)
        return now if opens_at > deadline else deadline

    def _send_away(self, now: float) -> None:
        self._look_at = math.inf
        fault = self._opening(now)[1] or self.breaker.fault
        for waiter in self._line:
            ends_at = self._deadline_of(waiter, now)
            if ends_at > now:
                self._look_at = min(self._look_at, ends_at)
            elif fault is not None:
                self._line.fail(waiter, again(fault))

    def _refuse(self, model: str, fault: ProviderFault) -> None:
        if not self.refusals.add(model, fault):
            return
        self._tell(Refused(self.host, shown(fault)))
        for waiter in self._line:
            if (refusal := self.refusals.find(waiter.model)) is not None:
                self._line.fail(waiter, refusal)

    def _tell(self, news: News) -> None:
        for listener in tuple(self._listeners):
            listener(news)
