"""Which request meets which fault."""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runner.testing.chat import Chat
from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.plan import FaultPlan
from tests.contract.testing.refused import refused_in_one_line
from tests.contract.testing.wire import SCRIPT, ask, conversation


def chat(task: str, turn: int, **extra: str) -> Chat:
    return Chat.model_validate(conversation(task, turn, **extra))


def drawn(plan: FaultPlan, order: list[tuple[str, int, int]]) -> dict[tuple[str, int, int], str]:
    met = {}
    for number, (task, turn, asked) in enumerate(order, start=1):
        fault = plan.fault(number, chat(task, turn), asked)
        if fault is not None:
            met[task, turn, asked] = fault
    return met


@given(seed=st.integers(0, 9), order=st.randoms(use_true_random=False))
def test_a_draw_does_not_depend_on_the_order_of_requests(seed: int, order: random.Random) -> None:
    plan = FaultPlan(seed=seed, rate=0.5)
    asked = [(f"task {e}", turn, n) for e in range(4) for turn in (1, 2) for n in range(3)]
    shuffled = [*asked]
    order.shuffle(shuffled)
    assert drawn(plan, asked) == drawn(plan, shuffled)


def test_seeds_conversations_turns_and_askings_draw_for_themselves() -> None:
    def of(seed: int, task: str, turn: int) -> list[str | None]:
        plan = FaultPlan(seed=seed, rate=0.5)
        return [plan.fault(1, chat(task, turn), asked) for asked in range(40)]

    four = [of(0, "a", 1), of(1, "a", 1), of(0, "b", 1), of(0, "a", 2)]
    assert all(one != other for place, one in enumerate(four) for other in four[:place])
    assert {None} < set(four[0])


def test_what_a_conversation_goes_on_to_say_does_not_matter_and_its_user_does() -> None:
    one, later = chat("a", 1), chat("a", 3)
    assert one.conversation == later.conversation
    assert one.conversation != chat("b", 1).conversation
    assert one.conversation != chat("a", 1, user="second").conversation


def test_the_rate_and_the_weights_are_kept() -> None:
    plan = FaultPlan.model_validate({"rate": 0.3, "faults": {503: 3, "reset": 1}})
    met = Counter(plan.fault(1, chat(f"task {n}", 1), 0) for n in range(4_000))
    assert met.total() - met[None] == pytest.approx(1_200, rel=0.1)
    assert met["503"] / met["reset"] == pytest.approx(3, rel=0.25)
    assert set(met) == {None, "503", "reset"}


def test_a_bound_in_a_row_lets_a_turn_through() -> None:
    plan = FaultPlan(rate=1, most_in_a_row=2)
    assert [plan.fault(1, chat("a", 1), n) is not None for n in range(4)] == [
        True,
        True,
        False,
        False,
    ]


async def test_a_schedule_by_request_and_by_turn() -> None:
    plan = FaultPlan.model_validate(
        {"schedule": [{"request": 2, "fault": 500}, {"turn": 2, "fault": "503", "times": 2}]}
    )
    async with FakeEndpoint([SCRIPT], plan=plan) as endpoint:
        asked = [("a", 1), ("b", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 2), ("a", 2), ("b", 2)]
        statuses = [(await ask(endpoint, conversation(*each))).status for each in asked]
    assert statuses == [200, 500, 200, 503, 503, 503, 200, 503]


async def test_a_fault_for_ever() -> None:
    plan = FaultPlan.model_validate({"schedule": [{"turn": 1, "fault": 429, "times": None}]})
    async with FakeEndpoint([SCRIPT], plan=plan) as endpoint:
        assert {(await ask(endpoint, conversation("a", 1))).status for _ in range(5)} == {429}
        assert (await ask(endpoint, conversation("a", 2))).status == 200


async def test_a_refused_request_meets_no_fault_and_uses_none_up() -> None:
    plan = FaultPlan.model_validate({"schedule": [{"request": 1, "fault": 503}]})
    async with FakeEndpoint([SCRIPT], plan=plan) as endpoint:
        assert (await ask(endpoint, {"model": "fake", "messages": []})).status == 400
        assert (await ask(endpoint, conversation("a", 1))).status == 503
    assert endpoint.stats().requests == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rate: 2", "rate: "),
        ("ratio: 1", "unknown key 'ratio'; did you mean rate?"),
        ("faults: [resett]", "no fault is called 'resett'; did you mean reset"),
        ("faults: {reset: 0}", "faults.reset"),
        ("faults: []", "faults: "),
        ("schedule: [{fault: 503}]", "needs either turn or request"),
        ("schedule: [{fault: 503, turn: 1, request: 1}]", "needs either turn or request"),
        ("schedule: [{fault: 777, turn: 1}]", "no fault is called '777'"),
        ("schedule: [{fault: 503, turn: 0}]", "schedule.0.turn"),
        ("timing: {slow: 1}", "unknown key 'timing.slow'; did you mean timing.slow_s?"),
        ("rate: [", "line 1: not valid YAML"),
    ],
)
def test_a_broken_plan_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    refused_in_one_line(FaultPlan.load, tmp_path / "faults.yaml", text, reason)
