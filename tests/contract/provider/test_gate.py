"""The gate alone: who is let in, when, in which order; and that no slot is ever lost."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from agent_runner.errors import ProviderFault, ProviderKind
from agent_runner.provider.faults import AnswerFault
from agent_runner.provider.traffic.gate import Gate
from agent_runner.provider.traffic.line import Pass
from agent_runner.provider.traffic.news import News, Paused
from agent_runner.provider.traffic.policy import TrafficPolicy

SOON = TrafficPolicy(breaker_failures=3, breaker_wait_s=0.06, breaker_max_wait_s=0.2, spread_s=0.1)
NO_INSTANCES = AnswerFault(
    ProviderKind.UNAVAILABLE, "503: No instances available (yet)", retryable=True, status=503
)
OVERLOAD = AnswerFault(ProviderKind.UNAVAILABLE, "429 at capacity", retryable=True, status=429)
BAD_KEY = AnswerFault(ProviderKind.AUTH, "401 bad key", status=401)
NO_MODEL = AnswerFault(ProviderKind.MODEL, "404 model not found", status=404)


def patient(since: float, fault: ProviderFault) -> float:
    return math.inf


def patient_for(seconds: float) -> Callable[[float, ProviderFault], float]:
    return lambda since, fault: since + seconds


async def settled() -> None:
    """Let everybody run who can."""
    for _ in range(5):
        await asyncio.sleep(0)


def narrow(slots: int, policy: TrafficPolicy = SOON) -> Gate:
    gate = Gate("host", policy)
    gate.bound(slots, None)
    return gate


class Callers:
    """Tasks that wait at a gate, and the order in which they came in."""

    def __init__(self, gate: Gate, deadline: Callable[[float, ProviderFault], float] = patient):
        self.gate = gate
        self.deadline = deadline
        self.passes: list[Pass] = []
        self.order: list[int] = []
        self.times: list[float] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.came = asyncio.Event()

    async def come(self, count: int, model: str = "m") -> None:
        for _ in range(count):
            self.tasks.append(asyncio.create_task(self._enter(len(self.tasks), model)))
            await settled()

    async def _enter(self, number: int, model: str) -> None:
        self.passes.append(await self.gate.enter(model, self.deadline))
        self.order.append(number)
        self.times.append(time.monotonic())
        self.came.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.passes) < count:
                self.came.clear()
                await self.came.wait()


async def test_slots_go_to_those_who_wait_first_come_first_served() -> None:
    callers = Callers(narrow(2))
    await callers.come(6)
    assert callers.order == [0, 1]
    for _ in range(4):
        callers.gate.answered(callers.passes.pop(0))
        await settled()
    assert callers.order == [0, 1, 2, 3, 4, 5]


async def test_nobody_overtakes_those_who_wait() -> None:
    callers = Callers(narrow(1))
    await callers.come(2)
    callers.gate.answered(callers.passes.pop())  # the slot is given at once, before anybody runs
    late = asyncio.create_task(callers.gate.enter("m", patient))
    await settled()
    assert (callers.order, late.done()) == ([0, 1], False)
    late.cancel()


async def test_nobody_overtakes_while_the_end_of_a_pause_is_not_yet_noticed() -> None:
    callers = Callers(narrow(1))
    await callers.come(1)
    callers.gate.failed(callers.passes.pop(), OVERLOAD, retry_after_s=0.02)
    await callers.come(1)
    time.sleep(0.04)  # noqa: ASYNC251 - the loop is busy when the pause ends
    await callers.come(1)
    assert callers.order == [0, 1]


async def test_who_is_cancelled_in_the_moment_of_being_let_in_passes_the_slot_on() -> None:
    callers = Callers(narrow(1))
    await callers.come(3)
    callers.gate.answered(callers.passes.pop())
    callers.tasks[1].cancel()
    await settled()
    assert callers.order == [0, 2]
    callers.gate.answered(callers.passes.pop())
    assert (callers.gate.window.in_flight, callers.gate.waiting) == (0, 0)


@pytest.mark.parametrize("seed", range(8))
async def test_no_slot_is_lost_whoever_is_cancelled_whenever(seed: int) -> None:
    draw = random.Random(seed)
    slots = draw.randint(1, 6)
    gate = narrow(slots, TrafficPolicy(breaker_failures=1000, spread_s=0.001))
    under_way = most = 0

    async def call() -> None:
        nonlocal under_way, most
        given = await gate.enter("m", patient)
        under_way += 1
        most = max(most, under_way)
        try:
            await asyncio.sleep(draw.choice([0, 0, 0.001]))
        except asyncio.CancelledError:
            gate.abandoned(given)
            raise
        finally:
            under_way -= 1
        end = draw.random()
        if end < 0.7:
            gate.answered(given)
        elif end < 0.9:
            gate.failed(given, NO_INSTANCES)
        else:
            gate.failed(given, NO_INSTANCES, retry_after_s=0.001)

    tasks = [asyncio.create_task(call()) for _ in range(150)]
    while not all(task.done() for task in tasks):
        draw.choice(tasks).cancel()
        await asyncio.sleep(draw.choice([0, 0, 0.001]))
    assert (gate.window.in_flight, gate.waiting) == (0, 0)
    assert most <= slots
    async with asyncio.timeout(1):
        for _ in range(slots):
            await gate.enter("m", patient)


async def test_a_wait_that_one_was_asked_for_holds_for_all_and_they_come_back_one_by_one() -> None:
    callers = Callers(narrow(20))
    await callers.come(16)
    for _ in range(15):
        callers.gate.answered(callers.passes.pop())
    callers.order.clear()
    callers.times.clear()
    began = time.monotonic()
    callers.gate.failed(callers.passes.pop(), OVERLOAD, retry_after_s=0.15)
    await callers.come(8)
    assert callers.gate.waiting == 8
    assert "429 at capacity; next try in" in callers.gate.reason()
    await callers.until(8)
    waited = [at - began for at in callers.times]
    assert min(waited) >= 0.15
    assert callers.order == list(range(16, 24))
    assert sum(b - a > 0.0005 for a, b in pairwise(waited)) >= 4


async def test_many_failures_in_a_row_pause_all_until_one_try_succeeds() -> None:
    told: list[News] = []
    callers = Callers(narrow(10))
    gate = callers.gate
    with gate.told(told.append):
        await callers.come(6)
        for _ in range(5):
            gate.failed(callers.passes.pop(), NO_INSTANCES)
        (paused,) = told
        assert isinstance(paused, Paused)
        assert 0 < paused.wait_s <= SOON.breaker_wait_s
        said = "provider paused: host: 503: No instances available (yet); next try in "
        assert str(paused).startswith(said)
        began = time.monotonic()
        await callers.come(4)
        await callers.until(2)  # the one under way since before, and the one that tries
        assert callers.times[-1] - began >= 0.03 * 0.9
        await asyncio.sleep(0.03)
        assert (len(callers.passes), gate.waiting) == (2, 3)
        probe = callers.passes.pop()
        assert probe.is_probe
        gate.failed(probe, NO_INSTANCES)
        await callers.until(2)
        assert len(told) == 1
        gate.answered(callers.passes.pop())
        await settled()
        assert str(told[1]).startswith("provider back: host answers again after ")
    while callers.passes:
        gate.answered(callers.passes.pop())
        await settled()
    assert (gate.window.in_flight, gate.waiting, len(told)) == (0, 0, 2)


async def test_the_one_that_tries_may_be_cancelled_and_the_next_tries() -> None:
    callers = Callers(narrow(10))
    await callers.come(3)
    for _ in range(3):
        callers.gate.failed(callers.passes.pop(), NO_INSTANCES)
    await callers.come(2)
    await callers.until(1)
    callers.gate.abandoned(callers.passes.pop())
    await callers.until(1)
    assert callers.passes[0].is_probe


async def test_a_success_between_failures_keeps_it_going() -> None:
    gate = narrow(10)
    told: list[News] = []
    with gate.told(told.append):
        for _ in range(10):
            gate.failed(await gate.enter("m", patient), NO_INSTANCES)
            gate.failed(await gate.enter("m", patient), NO_INSTANCES)
            gate.answered(await gate.enter("m", patient))
    assert told == []


async def test_a_burst_of_refusals_for_load_is_one_failure_and_one_decrease() -> None:
    gate = narrow(10)
    passes = [await gate.enter("m", patient) for _ in range(10)]
    for given in passes:
        gate.failed(given, OVERLOAD)
    assert gate.breaker.opened_at is None
    assert gate.window.limit == 7


@pytest.mark.parametrize("fault", [BAD_KEY, NO_MODEL], ids=["401", "404"])
async def test_a_final_refusal_ends_who_waits_sleeps_or_comes_later(fault: AnswerFault) -> None:
    told: list[News] = []
    callers = Callers(narrow(1))
    gate = callers.gate
    sleeper = asyncio.create_task(gate.refusals.sleep(60, "m"))
    await callers.come(3)
    with gate.told(told.append):
        gate.failed(callers.passes.pop(), fault)
    async with asyncio.timeout(1):
        outcomes: list[Awaitable[object]] = [
            *callers.tasks[1:], sleeper, gate.enter("m", patient)
        ]  # fmt: skip
        for outcome in outcomes:
            with pytest.raises(AnswerFault) as caught:
                await outcome
            assert (caught.value.kind, caught.value.status) == (fault.kind, fault.status)
    assert len(told) == 1
    assert gate.window.in_flight == 0
    if fault is NO_MODEL:
        await gate.enter("another model", patient)
    else:
        with pytest.raises(AnswerFault):
            await gate.enter("another model", patient)


async def test_who_waits_for_an_endpoint_that_is_down_gives_up_when_patience_ends() -> None:
    callers = Callers(narrow(10), patient_for(0.2))
    await callers.come(3)
    began = time.monotonic()
    for _ in range(3):
        callers.gate.failed(callers.passes.pop(), NO_INSTANCES)
    await callers.come(2)
    await callers.until(1)  # it tries, and nobody answers it
    with pytest.raises(AnswerFault, match="No instances"):
        await asyncio.wait_for(callers.tasks[4], 2)
    assert 0.2 <= time.monotonic() - began < 1


async def test_a_wait_longer_than_patience_is_not_begun() -> None:
    callers = Callers(narrow(10), patient_for(5))
    await callers.come(1)
    callers.gate.failed(callers.passes.pop(), OVERLOAD, retry_after_s=60)
    await callers.come(1)
    with pytest.raises(AnswerFault, match="429 at capacity"):
        await asyncio.wait_for(callers.tasks[1], 1)


async def test_who_waits_for_a_slot_of_a_working_endpoint_is_not_sent_away() -> None:
    callers = Callers(narrow(1), patient_for(0.01))
    await callers.come(2)
    await asyncio.sleep(0.05)
    assert not callers.tasks[1].done()
    callers.gate.answered(callers.passes.pop())
    await callers.until(1)


async def test_a_fixed_rate_sets_requests_apart() -> None:
    gate = Gate("host")
    gate.bound(None, 60 / 0.02)
    gate.bound(None, 60 / 0.001)  # the tighter one stays
    began = time.monotonic()
    times = []
    for _ in range(6):
        gate.answered(await gate.enter("m", patient))
        times.append(time.monotonic() - began)
    assert times[-1] >= 5 * 0.02 * 0.95


async def test_who_waits_for_the_rate_is_held_by_a_pause_that_comes_meanwhile() -> None:
    callers = Callers(narrow(10))
    callers.gate.bound(None, 60 / 0.03)
    await callers.come(3)
    assert len(callers.passes) == 1
    began = time.monotonic()
    callers.gate.failed(callers.passes.pop(), OVERLOAD, retry_after_s=0.15)
    await callers.until(2)
    assert min(at - began for at in callers.times[1:]) >= 0.15
    callers.tasks[0].cancel()
