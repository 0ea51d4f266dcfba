"""What ends the turn loop from outside: time, budgets, a fault, a cancellation."""

import asyncio

import pytest

from agent_runner.errors import ProviderFault, ProviderKind
from agent_runner.provider.spending.budget import Budget, BudgetReached, Scope
from agent_runner.result import Termination
from agent_runner.testing.behaviour import Behaviour, Canned, Stall
from tests.contract.loop import SUBMIT, Played, calls, script


async def test_an_endpoint_that_fails_surfaces_as_its_fault() -> None:
    played = Played()
    refused = Canned(status=401, body={"error": {"message": "bad key"}})
    with pytest.raises(ProviderFault, match="bad key") as caught:
        await played.play([script(calls("slow")), refused])
    assert caught.value.kind is ProviderKind.AUTH
    assert len(played.lines) == 1
    assert played.loop is not None
    assert played.loop.tally.usage(None).calls == 2


async def test_a_prompt_that_no_longer_fits_is_an_end_and_no_fault() -> None:
    played = Played()
    full = Canned(status=400, body={"error": {"message": "maximum context length exceeded"}})
    end = await played.play([script(calls("slow")), full])
    assert end is Termination.CONTEXT_OVERFLOW
    assert len(played.lines) == 1


@pytest.mark.parametrize(
    ("budget", "end"),
    [
        (Budget(Scope.EPISODE, 15_000, None), Termination.TOKEN_BUDGET),
        (Budget(Scope.EPISODE, None, 0.015), Termination.COST_BUDGET),
    ],
)
async def test_a_budget_ends_it_before_the_request_that_might_not_fit(
    budget: Budget, end: Termination
) -> None:
    played = Played(budget=budget)
    turns = [{"reply": _said(1_000)} for _ in range(20)]
    assert await played.play([script(*turns)]) is end
    assert len(played.lines) == len(played.requests) < 20
    assert 12_000 <= budget.spent.tokens <= 15_000
    assert budget.held.tokens == 0
    assert played.loop is not None
    assert played.loop.tally.usage(None).calls == len(played.requests)


def _said(tokens: int) -> dict[str, object]:
    usage = {"prompt_tokens": 10, "completion_tokens": tokens}
    return {"calls": [{"tool": "slow", "arguments": {"text": "a"}}], "usage": usage}


async def test_the_batchs_budget_leaves_the_loop() -> None:
    played = Played(budget=Budget(Scope.BATCH, 10, None))
    with pytest.raises(BudgetReached):
        await played.play([script(SUBMIT)])
    assert played.requests == []


async def test_time_runs_out_while_the_model_thinks_and_its_answer_is_still_counted() -> None:
    played = Played()
    late = script(calls("slow", latency_s=0.2), SUBMIT)
    assert await played.play([late], limit_s=0.05) is Termination.TIMEOUT
    assert (len(played.lines), len(played.requests)) == (1, 1)
    assert played.lines[0].usage.prompt_tokens is not None
    assert played.bench.log == []
    assert played.loop is not None
    assert played.loop.tally.throttle_s < 0.1
    assert played.loop.tally.model_s >= 0.2


async def test_waiting_for_a_throttling_provider_does_not_count() -> None:
    played = Played()
    late: Behaviour = Canned(status=503, headers={"Retry-After": "0.4"})
    assert await played.play([late, script(SUBMIT)], limit_s=0.2) is Termination.SUBMITTED
    assert played.loop is not None
    assert played.loop.tally.throttle_s >= 0.4


@pytest.mark.parametrize("late", [Stall(), Canned(status=503, delay_s=0.4)], ids=["stall", "503"])
async def test_an_attempt_that_fails_late_does_not_count(late: Behaviour) -> None:
    played = Played(timeout_s=0.4)
    turns = script(calls("slow"), SUBMIT)
    assert await played.play([late, turns], limit_s=0.3) is Termination.SUBMITTED
    assert played.loop is not None
    assert played.loop.tally.throttle_s >= 0.4
    assert played.loop.tally.model_s < 0.3


async def test_time_runs_out_while_a_tool_runs_and_the_tool_is_ended() -> None:
    played = Played()
    turns = script(calls("hang", "slow"))
    async with asyncio.timeout(5):
        assert await played.play([turns], limit_s=0.1) is Termination.TIMEOUT
    assert played.bench.log == ["ready", "hang was ended"]
    (line,) = played.lines
    assert [(call.tool, call.text) for call in line.calls] == [
        ("hang", "the call was cut short"),
        ("slow", "the call was not run"),
    ]


async def test_cancelling_ends_a_running_tool_at_once_and_keeps_the_turn() -> None:
    played = Played()
    running = asyncio.create_task(played.play([script(calls("slow"), calls("hang"))]))
    async with asyncio.timeout(5):
        await played.bench.began.wait()
    running.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await running
    assert played.bench.log[-1] == "hang was ended"
    assert [line.calls[0].tool for line in played.lines] == ["slow", "hang"]
    assert played.loop is not None
    assert played.loop.tally.turns == 2
