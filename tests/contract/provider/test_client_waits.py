"""Whom a call waits for, how long, and what ends the wait."""

import asyncio
import re
import time

import pytest
from autogen_core import CancellationToken
from pydantic import SecretStr

from agent_runner.errors import ProviderFault
from agent_runner.provider import call
from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, ResolvedModel, with_key
from agent_runner.provider.retries import RetryPolicy
from agent_runner.testing.behaviour import Behaviour, Canned, Stall
from agent_runner.testing.endpoint import FakeEndpoint
from tests.contract.provider.asked import DONE, GOOD, PATIENT, TASK, Announced, Open


async def test_retry_after_is_honoured_and_counted_as_throttling(opened: Open) -> None:
    async with opened(Canned(status=429, headers={"Retry-After": "0.15"}), GOOD) as (client, _):
        began = time.monotonic()
        await client.create(TASK)
        waited_s = time.monotonic() - began
        (record,) = client.take_records()
    assert waited_s >= 0.15
    assert 0.15 <= record.throttle_wait_s <= record.duration_s <= waited_s + 0.001


async def test_a_retry_after_beyond_patience_ends_the_call_at_once(opened: Open) -> None:
    policy = RetryPolicy(patience_s=1, base_wait_s=0.001)
    answer = Canned(status=429, headers={"Retry-After": "60"})
    async with opened(answer, retries=policy) as (client, endpoint):
        with pytest.raises(ProviderFault):
            await client.create(TASK)
    assert len(endpoint.requests) == 1


async def test_a_missing_instance_has_a_patience_of_its_own_and_no_number_of_attempts(
    opened: Open,
) -> None:
    none = Canned({"detail": "No instances available (yet) for chute_id='1'"}, 503)
    policy = RetryPolicy(
        attempts=2, patience_s=0, no_instances_patience_s=30, base_wait_s=0.001, max_wait_s=0.001
    )
    async with opened(*[none] * 6, GOOD, retries=policy) as (client, _):
        assert (await client.create(TASK)).content == "done"
    short = policy.model_copy(update={"patience_s": 30, "no_instances_patience_s": 0.05})
    async with opened(none, retries=short) as (client, _):
        began = time.monotonic()
        with pytest.raises(ProviderFault, match="No instances"):
            await client.create(TASK)
        assert time.monotonic() - began < 5


async def test_waits_and_failed_attempts_are_the_providers_lateness_and_the_answer_is_not(
    opened: Open,
) -> None:
    late, answer = Canned(status=500, delay_s=0.15), Canned(DONE, delay_s=0.2)
    async with opened(late, answer) as (client, _):
        began_s = time.monotonic()
        running = asyncio.create_task(client.create(TASK))
        await asyncio.sleep(0.05)
        assert 0 < client.throttled_s <= time.monotonic() - began_s
        await running
        (record,) = client.take_records()
    failed, accepted = record.attempts
    assert failed.duration_s >= 0.15
    assert record.throttle_wait_s >= failed.duration_s + accepted.waited_s - 0.01
    assert record.duration_s - record.throttle_wait_s == pytest.approx(
        accepted.duration_s, abs=0.01
    )
    assert accepted.duration_s >= 0.2
    assert client.throttled_s == pytest.approx(record.throttle_wait_s, abs=0.01)


async def test_all_clients_of_an_endpoint_and_key_stand_at_one_gate() -> None:
    busy = Announced(Canned(status=429, headers={"Retry-After": "0.3"}))
    async with FakeEndpoint([busy, Canned(DONE)], models=["fake"]) as endpoint:
        profile = ModelProfile(name="f", model="fake", base_url=endpoint.base_url)
        other = ResolvedModel(profile=profile, api_key=SecretStr("another key"))
        async with (
            ModelClient(with_key(profile, {}), PATIENT) as one,
            ModelClient(with_key(profile, {}), PATIENT) as two,
            ModelClient(other, PATIENT) as three,
        ):
            assert one.gate is two.gate is not three.gate
            first = asyncio.create_task(one.for_episode().create(TASK))
            await busy.reached.wait()
            await asyncio.sleep(0.05)
            began = time.monotonic()
            await three.for_episode().create(TASK)
            assert time.monotonic() - began < 0.2
            client = two.for_episode()
            await client.create(TASK)
            assert client.take_records()[0].throttle_wait_s > 0.1
            await first


async def test_a_refused_key_stops_every_call_that_shares_it_without_a_request() -> None:
    policy = RetryPolicy(base_wait_s=60, max_wait_s=60)
    broken = Announced(Canned(status=500))
    async with FakeEndpoint(
        [broken, Canned({"detail": "bad key"}, 401)], models=["fake"]
    ) as endpoint:
        profile = ModelProfile(name="f", model="fake", base_url=endpoint.base_url)
        async with ModelClient(with_key(profile, {}), policy) as shared:
            sleeping = asyncio.create_task(shared.for_episode().create(TASK))
            await broken.reached.wait()
            await asyncio.sleep(0.05)
            for _ in range(3):
                with pytest.raises(ProviderFault, match="bad key"):
                    await shared.for_episode().create(TASK)
            async with asyncio.timeout(1):
                with pytest.raises(ProviderFault, match="bad key"):
                    await sleeping
            assert len(endpoint.requests) == 2
            refusal = shared.gate.refusals.find("fake")
            assert refusal is not None
            assert refusal.kind == "provider_auth"


async def test_a_long_wait_says_for_whom_and_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "TOLD_AFTER_S", 0.1)
    told: list[str] = []
    policy = RetryPolicy(base_wait_s=0.001)
    busy = Canned({"detail": "at capacity"}, 429, {"Retry-After": "0.2"})
    async with FakeEndpoint([busy, Canned(DONE)], models=["fake"]) as endpoint:
        profile = ModelProfile(name="f", model="fake", base_url=endpoint.base_url)
        async with ModelClient(with_key(profile, {}), policy) as shared:
            await shared.for_episode(tell=told.append).create(TASK)
    (line,) = told
    assert re.match(r"waiting for 127.0.0.1:\d+: 429 .*at capacity.*; next try in 0 s", line)


async def test_waits_are_bounded_by_the_policy(opened: Open) -> None:
    policy = RetryPolicy(attempts=8, base_wait_s=1000, max_wait_s=0.002)
    async with opened(Canned(status=503), retries=policy) as (client, _):
        with pytest.raises(ProviderFault):
            await client.create(TASK)
        (record,) = client.take_records()
    assert 0 < record.throttle_wait_s < 0.5


@pytest.mark.parametrize("how", ["task", "token"])
@pytest.mark.parametrize("answer", [Stall(), Canned(status=503)], ids=["asking", "waiting"])
async def test_cancellation_returns_at_once_and_leaves_no_task(
    how: str, answer: Behaviour, opened: Open
) -> None:
    policy = RetryPolicy(base_wait_s=100, max_wait_s=100)
    announced = Announced(answer)
    async with opened(announced, retries=policy) as (client, _):
        token = CancellationToken()
        running = asyncio.create_task(client.create(TASK, cancellation_token=token))
        await announced.reached.wait()
        await asyncio.sleep(0.02)
        began = time.monotonic()
        if how == "token":
            token.cancel()
        else:
            running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert time.monotonic() - began < 0.2
        (record,) = client.take_records()
        assert record.attempts
        assert not record.accepted
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_cancelled_token_starts_nothing(opened: Open) -> None:
    async with opened(GOOD) as (client, endpoint):
        token = CancellationToken()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await client.create(TASK, cancellation_token=token)
    assert endpoint.requests == []
