"""The client against a real HTTP server: what is tried again, how often, and what is not."""

import pytest

from agent_runner.errors import ProviderFault
from agent_runner.provider.client import ModelClient
from agent_runner.provider.faults import ContextOverflow
from agent_runner.provider.profile import ModelProfile, with_key
from agent_runner.provider.retries import RetryPolicy
from agent_runner.testing.behaviour import Behaviour, Canned, Drop, Stall
from agent_runner.testing.endpoint import FakeEndpoint
from tests.contract.provider.asked import GOOD, TASK, Open, completion

SURVIVED: dict[str, Behaviour] = {
    "408": Canned(status=408),
    "409": Canned(status=409),
    "425": Canned(status=425),
    "429": Canned({"detail": "Infrastructure is at maximum capacity"}, 429),
    "500": Canned({"detail": "exhausted all available targets"}, 500),
    "502 HTML": Canned(b"<html>Bad Gateway</html>", 502, {"Content-Type": "text/html"}),
    "503": Canned({"detail": "No instances available (yet) for chute_id='1'"}, 503),
    "closed": Drop(),
    "closed in the middle": Drop(b'{"choices": ['),
    "choices empty": Canned({"choices": []}),
    "choices null": Canned({"choices": None}),
    "error with 200": Canned({"error": {"message": "oops"}}),
    "detail with 200": Canned({"detail": "oops"}),
    "HTML with 200": Canned(b"<html>hello</html>", 200, {"Content-Type": "text/html"}),
    "cut JSON": Canned(b'{"choices": [{"mess'),
    "empty body": Canned(b""),
    "empty body with 204": Canned(b"", 204),
    "empty reply": completion(""),
}


@pytest.mark.parametrize("name", SURVIVED)
async def test_a_passing_failure_is_tried_again_and_recorded(name: str, opened: Open) -> None:
    async with opened(SURVIVED[name], GOOD) as (client, endpoint):
        result = await client.create(TASK)
        (record,) = client.take_records()
    assert result.content == "done"
    assert len(endpoint.requests) == 2
    assert endpoint.requests[0].body == endpoint.requests[1].body
    failed, accepted = record.attempts
    assert failed.error
    assert (accepted.status, accepted.error) == (200, None)
    assert record.accepted


@pytest.mark.parametrize("stalled", [Stall(), Stall(drip_s=0.02)], ids=["silent", "dripping"])
async def test_a_stalled_answer_is_given_up_and_tried_again(stalled: Stall, opened: Open) -> None:
    async with opened(stalled, GOOD, timeout_s=0.15) as (client, _):
        result = await client.create(TASK)
        (record,) = client.take_records()
    assert result.content == "done"
    assert record.attempts[0].error is not None
    assert "no whole answer in 0.15 s" in record.attempts[0].error
    assert record.attempts[0].duration_s == pytest.approx(0.15, abs=0.1)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Canned({"error": {"message": "bad request"}}, 400), "provider_reply"),
        (Canned({"detail": "no key"}, 401), "provider_auth"),
        (Canned({"detail": {"message": "Quota exceeded"}}, 402), "provider_quota"),
        (Canned({"detail": "no"}, 403), "provider_auth"),
        (Canned({"detail": "model not found: fake"}, 404), "provider_model"),
        (Canned({}, 409, {"x-should-retry": "false"}), "provider_reply"),
    ],
)
async def test_a_lasting_failure_is_not_tried_again(
    answer: Canned, kind: str, opened: Open
) -> None:
    async with opened(answer) as (client, endpoint):
        with pytest.raises(ProviderFault) as caught:
            await client.create(TASK)
        (record,) = client.take_records()
    assert (caught.value.kind, caught.value.retryable) == (kind, False)
    assert caught.value.status == answer.status
    assert len(endpoint.requests) == len(record.attempts) == 1
    assert not record.accepted


async def test_context_overflow_is_no_fault_and_not_tried_again(opened: Open) -> None:
    text = "Invalid request: maximum context length is 75000 tokens"
    async with opened(Canned({"detail": text}, 400)) as (client, endpoint):
        with pytest.raises(ContextOverflow, match="75000"):
            await client.create(TASK)
        (record,) = client.take_records()
    assert len(endpoint.requests) == 1
    assert record.attempts[0].status == 400


async def test_retries_end_after_so_many_attempts(opened: Open) -> None:
    policy = RetryPolicy(attempts=4, base_wait_s=0.001)
    async with opened(Canned(status=503), retries=policy) as (client, endpoint):
        with pytest.raises(ProviderFault) as caught:
            await client.create(TASK)
        (record,) = client.take_records()
    assert (caught.value.kind, caught.value.retryable) == ("provider_unavailable", True)
    assert [attempt.status for attempt in record.attempts] == [503] * 4
    assert len(endpoint.requests) == 4


async def test_useless_replies_are_bought_less_often(opened: Open) -> None:
    policy = RetryPolicy(attempts=9, unusable_attempts=2, base_wait_s=0.001)
    async with opened(Canned(status=503), Canned(b""), retries=policy) as (client, endpoint):
        with pytest.raises(ProviderFault) as caught:
            await client.create(TASK)
    assert (caught.value.kind, caught.value.status) == ("provider_reply", 200)
    assert len(endpoint.requests) == 3


async def test_no_one_listening_is_unavailable() -> None:
    async with FakeEndpoint([GOOD]) as gone:
        url = gone.base_url
    profile = ModelProfile(name="fake", model="fake", base_url=url)
    policy = RetryPolicy(attempts=2, base_wait_s=0.001)
    async with ModelClient(with_key(profile, {}), policy) as shared:
        with pytest.raises(ProviderFault) as caught:
            await shared.for_episode().create(TASK)
    assert (caught.value.kind, caught.value.status) == ("provider_unavailable", None)
