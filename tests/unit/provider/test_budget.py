"""Budgets alone: what is held, who waits for whom, and that more than the limit is never spent."""

import asyncio
import random

import pytest

from agent_runner.provider.profile import Prices
from agent_runner.provider.spending.budget import Budget, BudgetReached, Measure, Scope
from agent_runner.provider.spending.spend import Need, Spend

PRICES = Prices(prompt=1.0, completion=2.0)


def need(prompt: int, completion: int, least: int | None = None) -> Need:
    return Need(prompt, completion, completion if least is None else least, PRICES)


def batch(tokens: int | None = None, cost_usd: float | None = None) -> Budget:
    return Budget(Scope.BATCH, tokens, cost_usd)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_does_not_fit_beside_what_others_hold_waits_for_them() -> None:
    budget = batch(tokens=100)
    first = await budget.reserve(need(50, 30))
    second = asyncio.create_task(budget.reserve(need(30, 10)))
    third = asyncio.create_task(budget.reserve(need(1, 1)))
    await settled()
    assert not second.done()
    assert not third.done()  # nobody overtakes, or the large ones would wait for ever
    budget.settle(first.whole, Spend(40))
    await settled()
    assert second.result() == need(30, 10)
    assert third.result() == need(1, 1)
    assert (budget.spent.tokens, budget.held.tokens) == (40, 42)


@pytest.mark.parametrize("measure", Measure)
async def test_it_is_reached_where_nobody_holds_what_could_come_back(measure: Measure) -> None:
    budget = batch(100) if measure is Measure.TOKENS else batch(cost_usd=100e-6)
    first = await budget.reserve(need(20, 40))
    waiting = asyncio.create_task(budget.reserve(need(60, 20)))
    await settled()
    budget.settle(first.whole, first.whole)
    with pytest.raises(BudgetReached) as caught:
        await waiting
    assert (caught.value.scope, caught.value.measure) == (Scope.BATCH, measure)
    assert (await budget.reserve(need(0, 0))).whole == Spend()  # a smaller one may still fit


async def test_a_completion_is_shortened_to_what_is_left_and_no_further_than_it_may() -> None:
    tokens = await Budget(Scope.EPISODE, 100, None).reserve(need(40, 500, least=60))
    assert tokens.completion_tokens == 60
    money = await Budget(Scope.EPISODE, None, 0.0001).reserve(need(40, 500, least=10))
    assert money.completion_tokens == 30
    with pytest.raises(BudgetReached):
        await Budget(Scope.EPISODE, 100, None).reserve(need(40, 500, least=61))
    with pytest.raises(BudgetReached):
        await Budget(Scope.EPISODE, None, 0.0001).reserve(need(101, 500, least=0))


async def test_while_others_hold_something_nothing_is_shortened() -> None:
    budget = batch(100)
    first = await budget.reserve(need(50, 10))
    waiting = asyncio.create_task(budget.reserve(need(10, 50, least=1)))
    await settled()
    assert not waiting.done()
    budget.settle(first.whole, Spend(20))
    assert await waiting == need(10, 50, least=1)


async def test_who_gives_up_waiting_holds_nothing_and_lets_the_next_go() -> None:
    budget = batch(100)
    first = await budget.reserve(need(60, 0))
    large = asyncio.create_task(budget.reserve(need(90, 0)))
    small = asyncio.create_task(budget.reserve(need(30, 0)))
    await settled()
    large.cancel()
    await settled()
    assert small.done()
    late = asyncio.create_task(budget.reserve(need(50, 0)))
    await settled()
    budget.settle(first.whole, Spend())
    late.cancel()  # granted and cancelled in the same moment
    await settled()
    assert budget.held.tokens == 30


@pytest.mark.parametrize("seed", range(5))
async def test_many_at_once_never_spend_more_than_there_is(seed: int) -> None:
    draw = random.Random(seed)
    budget = batch(cost_usd=0.05)

    async def work() -> None:
        while True:
            held = await budget.reserve(need(draw.randint(1, 500), draw.randint(0, 500)))
            await asyncio.sleep(0)
            share = draw.choice([0.0, 0.1, 0.5, 1.0])
            spent = held.spend(int(held.completion_tokens * share))
            budget.settle(held.whole, spent)
            assert budget.spent.cost_usd <= 0.05 + 1e-12

    tasks = [asyncio.create_task(work()) for _ in range(32)]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(each) for each in outcomes} == {BudgetReached}
    assert budget.held == Spend()
    assert budget.spent.cost_usd >= 0.95 * 0.05


async def test_a_resumed_budget_begins_with_what_was_spent() -> None:
    budget = Budget(Scope.BATCH, 100, None, spent=Spend(95))
    with pytest.raises(BudgetReached, match="95 of 100 tokens are spent"):
        await budget.reserve(need(6, 0))
