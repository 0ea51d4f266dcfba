"""A gate lets so many through, in the order they came, and who waits at it gives signs of life."""

import asyncio
from collections.abc import Callable

import pytest

from agent_runner.gates import Gate

QUICK_S = 0.01


class Passers:
    """Pass a gate, and write down in which order."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.inside: list[int] = []
        self.leave = asyncio.Event()
        self.most = 0
        self._now = 0

    async def passes(self, number: int, waiting: Callable[[], object] | None = None) -> None:
        async with self.gate.passed(waiting):
            self.inside.append(number)
            self._now += 1
            self.most = max(self.most, self._now)
            await self.leave.wait()
            self._now -= 1


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_so_many_are_inside_and_the_others_come_in_their_order() -> None:
    passers = Passers(Gate(2))
    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(passers.passes(number))
        await settled()
        assert passers.inside == [0, 1]
        passers.leave.set()
    assert (passers.inside, passers.most) == ([0, 1, 2, 3, 4, 5], 2)


async def test_who_waits_says_so_again_and_again_and_nobody_else_does() -> None:
    passers, said = Passers(Gate(1, told_every_s=QUICK_S)), []
    first = asyncio.create_task(passers.passes(0, lambda: said.append("first")))
    await settled()
    second = asyncio.create_task(passers.passes(1, lambda: said.append("second")))
    await asyncio.sleep(QUICK_S * 5)
    assert len(said) >= 2
    assert set(said) == {"second"}
    passers.leave.set()
    await asyncio.gather(first, second)


async def test_who_is_cut_short_while_waiting_takes_no_place() -> None:
    passers = Passers(Gate(1))
    tasks = [asyncio.create_task(passers.passes(number)) for number in range(3)]
    await settled()
    tasks[1].cancel()
    await settled()
    passers.leave.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert passers.inside == [0, 2]


@pytest.mark.parametrize("turns_of_the_loop", range(6))
async def test_a_place_that_comes_as_its_taker_is_cut_short_is_not_lost(
    turns_of_the_loop: int,
) -> None:
    passers = Passers(Gate(1))
    passers.leave.set()
    gate = passers.gate
    async with gate.passed():
        cut = asyncio.create_task(passers.passes(1))
        await settled()
    for _ in range(turns_of_the_loop):
        await asyncio.sleep(0)
    cut.cancel()
    await asyncio.wait([cut])
    async with asyncio.timeout(1), gate.passed():
        """There is a place."""


async def test_without_a_number_everybody_passes() -> None:
    passers = Passers(Gate())
    tasks = [asyncio.create_task(passers.passes(number)) for number in range(3)]
    await settled()
    assert passers.inside == [0, 1, 2]
    passers.leave.set()
    await asyncio.gather(*tasks)
