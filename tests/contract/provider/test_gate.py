"""The gate alone: who is let in, when, in which order; and that no slot is ever lost."""

import asyncio
import random
import time

import pytest

from agent_runner.provider.traffic.gate import Gate
from agent_runner.provider.traffic.policy import TrafficPolicy
from tests.contract.provider.callers import (
    NO_INSTANCES,
    OVERLOAD,
    Callers,
    narrow,
    patient,
    settled,
)


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
