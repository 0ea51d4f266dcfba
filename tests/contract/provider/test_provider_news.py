"""What a batch tells of its provider is what the gate saw, in fields that programs read."""

import math
import time

import pytest

from agent_runner.batch.events import Provider
from agent_runner.errors import ProviderFault, ProviderKind
from agent_runner.executors.local import event_of
from agent_runner.provider.faults import AnswerFault
from agent_runner.provider.traffic.gate import Gate
from agent_runner.provider.traffic.news import News
from agent_runner.provider.traffic.policy import TrafficPolicy

FULL = AnswerFault(ProviderKind.UNAVAILABLE, "503: provider back soon", retryable=True, status=503)
BAD_KEY = AnswerFault(ProviderKind.AUTH, "401 bad key", status=401)


def patient(since: float, fault: ProviderFault) -> float:
    return math.inf


class Told:
    """The events of a batch whose gate tells it something."""

    def __init__(self) -> None:
        self.gate = Gate("host", TrafficPolicy(breaker_failures=1, breaker_wait_s=0.2))
        self.events: list[Provider] = []

    def hear(self, news: News) -> None:
        self.events.append(event_of(news))


async def test_a_pause_says_how_long_and_is_taken_back_when_it_is_over() -> None:
    told = Told()
    gate = told.gate
    with gate.told(told.hear):
        gate.failed(await gate.enter("m", patient), FULL)
        (paused,) = told.events
        assert paused.text == "host: 503: provider back soon"
        assert paused.wait_s is not None
        assert 0.05 < paused.wait_s <= 0.2
        began = time.monotonic()
        probe = await gate.enter("m", patient)
        assert time.monotonic() - began == pytest.approx(paused.wait_s, abs=0.1)
        gate.answered(probe)
    assert [(event.text, event.wait_s) for event in told.events[1:]] == [("", None)]


async def test_a_refusal_for_good_has_no_end() -> None:
    told = Told()
    gate = told.gate
    with gate.told(told.hear):
        gate.failed(await gate.enter("m", patient), BAD_KEY)
    said = "host: 401 bad key; no further request is sent"
    assert [(event.text, event.wait_s) for event in told.events] == [(said, None)]
