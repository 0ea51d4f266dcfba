"""The gate of an endpoint that fails: all wait, one tries, and who gives up."""

import asyncio
import time
from collections.abc import Awaitable
from itertools import pairwise

import pytest

from agent_runner.provider.faults import AnswerFault
from agent_runner.provider.traffic.news import News, Paused
from tests.contract.provider.callers import (
    BAD_KEY,
    NO_INSTANCES,
    NO_MODEL,
    OVERLOAD,
    SOON,
    Callers,
    narrow,
    patient,
    patient_for,
    settled,
)


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
