"""Budgets at the real client: what is reserved before a request, and what a lost reply costs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from autogen_core.models import AssistantMessage, LLMMessage, UserMessage

from agent_runner.provider.client import ModelClient
from agent_runner.provider.endpoint import ChatRequest
from agent_runner.provider.episode_client import EpisodeClient
from agent_runner.provider.messages import wire_messages
from agent_runner.provider.profile import ModelProfile, Prices, with_key
from agent_runner.provider.retries import RetryPolicy
from agent_runner.provider.spending.bound import PromptBound, completion_limit
from agent_runner.provider.spending.budget import Budget, BudgetReached, Measure, Scope
from agent_runner.provider.spending.spend import missing_price
from agent_runner.testing.behaviour import Behaviour, Canned, Drop, Stall
from agent_runner.testing.endpoint import FakeEndpoint

QUICK = RetryPolicy(attempts=3, base_wait_s=0.001)
TASK: list[LLMMessage] = [UserMessage(content="fix it " * 20, source="user")]
PROMPT_BYTES = 168  # what the bound makes of TASK: every byte of its message's JSON
PRICES = Prices(prompt=1.0, completion=1.0)


def counted(prompt: int, completion: int, content: str = "done") -> Canned:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion}
    return Canned({"choices": [{"message": {"content": content}}], "usage": usage})


UNCOUNTED = Canned({"choices": [{"message": {"content": "done"}}]})


@asynccontextmanager
async def spending(
    *behaviours: Behaviour, budget: Budget, shared: Budget | None = None, timeout_s: float = 5
) -> AsyncIterator[tuple[ModelClient, FakeEndpoint, Budget]]:
    async with asyncio.timeout(10), FakeEndpoint(behaviours, models=["fake"]) as endpoint:
        profile = ModelProfile(
            name="fake", model="fake", base_url=endpoint.base_url, max_tokens=2_000,
            prices=PRICES, timeout_s=timeout_s,
        )  # fmt: skip
        async with ModelClient(with_key(profile, {}), QUICK, budget=shared) as client:
            yield client, endpoint, budget


def tokens(limit: int, scope: Scope = Scope.EPISODE) -> Budget:
    return Budget(scope, limit, None)


async def spent_after(*behaviours: Behaviour, timeout_s: float = 5, calls: int = 1) -> int:
    budget = tokens(100_000)
    async with spending(*behaviours, budget=budget, timeout_s=timeout_s) as (client, _, _):
        episode = client.for_episode(budget=budget)
        for _ in range(calls):
            await episode.create(TASK)
        assert budget.held.tokens == 0
        return budget.spent.tokens


async def test_what_was_counted_is_spent_and_the_rest_comes_back() -> None:
    assert await spent_after(counted(30, 5)) == 35


async def test_an_error_of_the_endpoint_costs_nothing() -> None:
    assert await spent_after(Canned(status=503), counted(30, 5)) == 35


async def test_a_useless_reply_costs_what_was_counted() -> None:
    assert await spent_after(counted(30, 4, content=""), counted(30, 5)) == 69


@pytest.mark.parametrize("lost", [Drop(), Drop(b'{"cho'), Stall(), Canned(b"", 504)])
async def test_a_reply_lost_on_the_way_costs_the_most_it_could(lost: Behaviour) -> None:
    # The prompt of the second request was the same, so that its count holds for the first.
    assert await spent_after(lost, counted(30, 5), timeout_s=0.2) == (30 + 2_000) + 35


async def test_a_reply_without_counts_costs_the_most_it_could() -> None:
    assert await spent_after(UNCOUNTED) == PROMPT_BYTES + 2_000


async def test_a_connection_that_was_never_made_costs_nothing() -> None:
    async with FakeEndpoint([UNCOUNTED]) as gone:
        url = gone.base_url
    budget = tokens(100_000)
    profile = ModelProfile(name="fake", model="fake", base_url=url)
    async with ModelClient(with_key(profile, {}), QUICK) as client:
        with pytest.raises(Exception, match="no answer"):
            await client.for_episode(budget=budget).create(TASK)
    assert (budget.spent.tokens, budget.held.tokens) == (0, 0)


async def test_a_cancelled_request_may_have_been_billed() -> None:
    budget = tokens(100_000)
    async with spending(Stall(), budget=budget) as (client, endpoint, _):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.for_episode(budget=budget).create(TASK), 0.3)
        assert len(endpoint.requests) == 1
    assert budget.spent.tokens == PROMPT_BYTES + 2_000


async def test_an_episode_ends_where_the_next_request_might_cost_too_much() -> None:
    budget = tokens(1_300)
    async with spending(counted(30, 900), budget=budget) as (client, endpoint, _):
        episode = client.for_episode(budget=budget)
        await episode.create(TASK)
        (record,) = episode.take_records()
        with pytest.raises(BudgetReached) as caught:
            await episode.create(TASK)
        assert (caught.value.scope, caught.value.measure) == (Scope.EPISODE, Measure.TOKENS)
        assert len(endpoint.requests) == 1
        # The first reply was shortened to what there was, and its record says so.
        asked = endpoint.requests[0].chat().model_dump()["max_tokens"]
        assert asked == record.lowered_max_tokens == 1_300 - PROMPT_BYTES
        (refused,) = episode.take_records()
        assert (refused.attempts, refused.accepted) == ((), False)


async def call_often(episode: EpisodeClient) -> None:
    for _ in range(10):
        await episode.create(TASK)


async def test_a_batch_never_shortens_a_reply() -> None:
    shared = tokens(2_200, Scope.BATCH)
    own = Budget(Scope.EPISODE, None, None)
    async with spending(counted(30, 5), budget=own, shared=shared) as (client, endpoint, _):
        with pytest.raises(BudgetReached) as caught:
            await call_often(client.for_episode(budget=own))
    sent = [each.chat().model_dump()["max_tokens"] for each in endpoint.requests]
    assert set(sent) == {2_000}
    assert caught.value.scope is Scope.BATCH
    assert shared.spent.tokens == 35 * len(endpoint.requests)


async def test_what_does_not_fit_the_batch_is_not_held_in_the_episode() -> None:
    shared, own = tokens(100, Scope.BATCH), tokens(100_000)
    async with spending(counted(30, 5), budget=own, shared=shared) as (client, _, _):
        with pytest.raises(BudgetReached):
            await client.for_episode(budget=own).create(TASK)
    assert (own.held.tokens, own.spent.tokens) == (0, 0)


def request(messages: Sequence[LLMMessage]) -> ChatRequest:
    return ChatRequest(wire_messages(messages), [], "auto", {})


def test_a_prompt_is_bounded_by_the_last_count_and_the_bytes_of_what_is_new() -> None:
    bound = PromptBound()
    first = request(TASK)
    assert bound.of(first) == PROMPT_BYTES
    bound.counted(first, 40)
    assert bound.of(request(TASK)) == 40
    more: list[LLMMessage] = [*TASK, AssistantMessage(content="€" * 10, source="swe")]
    assert 40 + 30 <= bound.of(request(more)) <= 40 + 30 + 60
    # What is left out since the last count is not taken off; what stands in its place is new.
    changed: list[LLMMessage] = [UserMessage(content="x", source="user"), *more[1:]]
    assert bound.of(request(changed)) > bound.of(request(more))


def test_the_completion_is_bounded_by_what_is_sent() -> None:
    profile = ModelProfile(name="m", model="m", base_url="http://h/v1", max_tokens=9)
    assert completion_limit(profile, {}) == ("max_tokens", 9)
    assert completion_limit(profile, {"max_tokens": 4}) == ("max_tokens", 4)
    newer = profile.model_copy(update={"max_tokens_as": "max_completion_tokens"})
    assert completion_limit(newer, {}) == ("max_completion_tokens", 9)
    unlimited = profile.model_copy(update={"extra_body": {"max_tokens": None}})
    assert completion_limit(unlimited, {}) == ("max_tokens", profile.context_tokens)


def test_an_unknown_price_is_told_once_for_each_model() -> None:
    profile = ModelProfile(name="m", model="never-seen-before", base_url="http://h/v1")
    assert "never-seen-before" in (missing_price(profile) or "")
    assert missing_price(profile) is None
    assert missing_price(profile.model_copy(update={"prices": PRICES})) is None
    assert missing_price(profile.model_copy(update={"model": "another"})) is not None
