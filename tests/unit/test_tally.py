"""What an episode has used: accepted and thrown-away replies, and whose time it was."""

from agent_runner.provider.profile import Prices
from agent_runner.provider.records import Attempt, CallRecord, Usage
from agent_runner.result import RetriedUsage
from agent_runner.tally import Tally

PRICES = Prices(prompt=1.0, completion=1.0, cached=0.5)


def attempt(tokens: int | None, **given: object) -> Attempt:
    usage = Usage(prompt_tokens=tokens, completion_tokens=0)
    blank = {"status": 200, "error": None, "duration_s": 1.0, "usage": usage}
    return Attempt.model_validate(blank | given)


def record(tokens: int, **given: object) -> CallRecord:
    usage = Usage(prompt_tokens=tokens, completion_tokens=0)
    blank = {
        "attempts": (attempt(tokens),),
        "accepted": True,
        "duration_s": 3.0,
        "throttle_wait_s": 2.0,
    }
    return CallRecord.model_validate(blank | {"usage": usage} | given)


def test_waiting_is_told_from_the_answer_and_what_was_thrown_away_has_its_own_column() -> None:
    broken = attempt(50, error="empty")
    thrown = record(0, accepted=False, attempts=(attempt(0, status=503, error="503", usage=None),))
    tally = Tally(records=[record(100, attempts=(broken, attempt(100))), thrown])
    assert (tally.throttle_s, tally.model_s) == (4.0, 2.0)
    usage = tally.usage(PRICES)
    assert (usage.prompt_tokens, usage.calls, usage.retries) == (100, 2, 1)
    assert usage.retried.prompt_tokens == 50
    assert (usage.retried.cost_usd, usage.cost_usd) == (0.00005, 0.00015)
    assert (usage.cached_tokens, usage.reasoning_tokens) == (None, None)
    assert tally.usage(None).cost_usd is None
    assert tally.usage(None).retried.cost_usd is None


def test_cached_tokens_have_their_own_price_and_reasoning_is_counted() -> None:
    usage = Usage(prompt_tokens=100, completion_tokens=10, cached_tokens=80, reasoning_tokens=7)
    found = Tally(records=[record(0, usage=usage)]).usage(PRICES)
    assert (found.cached_tokens, found.reasoning_tokens) == (80, 7)
    assert found.cost_usd == 0.00007


def test_a_reply_lost_on_the_way_is_in_no_sum_and_said_so() -> None:
    lost = attempt(None, status=None, error="no answer", usage=None, uncounted=True)
    usage = Tally(records=[record(100, attempts=(lost, attempt(100)))]).usage(PRICES)
    assert usage.retried == RetriedUsage(cost_usd=0.0, uncounted=1)
    assert usage.cost_usd == 0.0001


def test_an_endpoint_that_does_not_count_makes_the_sums_unknown_and_not_zero() -> None:
    usage = Tally(records=[record(100), record(0, usage=Usage())]).usage(PRICES)
    assert (usage.prompt_tokens, usage.cost_usd) == (None, None)


def test_a_call_that_sent_nothing_is_no_call() -> None:
    refused = record(0, attempts=(), accepted=False, throttle_wait_s=3.0)
    tally = Tally(records=[record(100), refused])
    assert (tally.usage(PRICES).calls, tally.usage(PRICES).retries) == (1, 0)
    assert tally.throttle_s == 5.0
