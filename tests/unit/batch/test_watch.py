"""An episode that gives no sign of life is given up, said, and waited for no longer."""

import asyncio

import pytest

from agent_runner.batch.settings import BatchLimits
from agent_runner.batch.watch import Signs, Stuck, patience_s, watched
from agent_runner.result import Result
from tests.unit.batch.conftest import MakeBench, resolved


async def hang() -> Result:
    await asyncio.Event().wait()
    raise AssertionError


async def deaf(free: asyncio.Event) -> Result:
    while not free.is_set():
        try:
            await free.wait()
        except asyncio.CancelledError:
            continue
    raise AssertionError


async def test_who_hangs_is_told_with_what_it_waits_for_and_ended() -> None:
    signs, told = Signs(), []
    signs.sign("starting a container")
    ended = asyncio.Event()

    async def hangs() -> Result:
        try:
            return await hang()
        finally:
            ended.set()

    with pytest.raises(Stuck) as caught:
        await watched(hangs(), signs, 0.05, told.append)
    assert caught.value.step == "starting a container"
    assert caught.value.silent_s >= 0.05
    assert told == [caught.value]
    assert ended.is_set()


async def test_who_does_not_end_is_waited_for_no_longer() -> None:
    free = asyncio.Event()
    async with asyncio.timeout(5):
        with pytest.raises(Stuck):
            await watched(deaf(free), Signs(), 0.01, lambda stuck: None, grace_s=0.05)
    free.set()
    await asyncio.sleep(0)


async def test_a_sign_of_life_is_enough(bench: MakeBench) -> None:
    made, signs = bench("a"), Signs()

    async def slow() -> Result:
        for step in range(6):
            await asyncio.sleep(0.03)
            signs.sign(f"step {step}")
        plan = made.plan()
        return resolved(plan.order(plan.episodes[0], 1))

    result = await watched(slow(), signs, 0.1, pytest.fail)
    assert result.status == "resolved"


async def test_an_interruption_ends_the_episode_too() -> None:
    ended = asyncio.Event()

    async def hangs() -> Result:
        try:
            return await hang()
        finally:
            ended.set()

    watching = asyncio.create_task(watched(hangs(), Signs(), 60, pytest.fail))
    await asyncio.sleep(0.01)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert ended.is_set()


def test_patience_outlasts_every_limit_an_episode_has() -> None:
    limits = BatchLimits.model_validate({"grade_s": 5000, "tests_s": 10})
    assert patience_s(limits) > 5000
