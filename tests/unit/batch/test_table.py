"""The live table as text: what it says, and that it fits whatever there is to say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from agent_runner.batch.display.state import BatchState
from agent_runner.batch.display.table import table
from agent_runner.batch.events import EpisodeStarted, EpisodeStep, Stuck, Waiting
from tests.unit.batch.told import (
    AGAIN,
    BEGUN,
    BUDGET,
    ENDED,
    FAILED,
    FREE,
    PAUSED,
    SLOW,
    STARTED,
    STEP,
    STUCK,
    TURN,
    after,
)  # fmt: skip

UNRESOLVED = ENDED.model_copy(update={"status": "unresolved"})


def text(state: BatchState, now_s: float = 83.0, width: int = 79, height: int = 23) -> list[str]:
    return [line.text for line in table(state, now_s, width, height)]


def many(count: int, name: str = "task") -> BatchState:
    return after(
        *(EpisodeStarted(task_id=f"{name}-{number}", attempt=1, tries=1) for number in range(count))
    )


def test_before_anything_happened() -> None:
    assert text(after(), 0) == ["0/40 done · 0 running · 40 waiting · 0 s", "no verdict yet"]


def test_a_row_says_turn_last_tool_seconds_and_tokens() -> None:
    row = text(after(BEGUN, STEP, TURN))[-1]
    assert row.split() == [
        "tidyframe__x.1",
        "t3",
        "swe_pytest",
        "->",
        "3",
        "passed",
        "83",
        "s",
        "945",
    ]
    assert cell_len(row) == 79


def test_a_row_says_the_step_that_is_newer_than_the_turn() -> None:
    assert "building a layer" in text(after(BEGUN, TURN, STEP))[-1]
    assert "again in 4 s, after engine_unavailable" in text(after(BEGUN, AGAIN))[-1]


def test_what_was_not_counted_is_no_zero() -> None:
    unknown = TURN.model_copy(update={"prompt_tokens": None, "cost_usd": None})
    lines = text(after(BEGUN, unknown, TURN))
    assert lines[-1].split()[-1] == "?"


def test_the_rate_has_its_interval_and_what_has_no_verdict_stands_apart() -> None:
    lines = text(after(*[ENDED] * 7, *[UNRESOLVED] * 4, FAILED))
    assert "resolved 7 of 11: 64% (35-85% at 95%) · not counted: 1 infra_error" in lines


def test_cost_so_far_and_expected() -> None:
    lines = text(after(*[ENDED] * 4, BEGUN, TURN))
    assert "$0.10 so far · about $0.80 in all · 38.7k tokens" in lines


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((ENDED.model_copy(update={"cost_usd": None}),), "cost unknown · 9.4k tokens"),
        ((ENDED, ENDED.model_copy(update={"cost_usd": None})), "$0.02 and more · 18.9k tokens"),
        ((BEGUN, TURN.model_copy(update={"cost_usd": None})), "cost unknown · 945 tokens"),
    ],
)
def test_an_unknown_cost_is_said_and_nothing_is_expected_of_it(
    events: tuple[object, ...], said: str
) -> None:
    assert said in text(after(*events))


def test_who_asked_no_model_costs_nothing() -> None:
    none = {"cost_usd": None, "turns": 0, "prompt_tokens": 0, "completion_tokens": 0}
    lines = text(after(ENDED.model_copy(update=none)))
    assert not [line for line in lines if "cost" in line or "$" in line]


def test_time_left_is_a_guess_by_what_ended_and_how_many_go_at_once() -> None:
    assert not [line for line in text(after(BEGUN)) if "left" in line]
    slow = ENDED.model_copy(update={"duration_s": 600.0})
    # 39 of 600 s each, 8 at once; one of them has 517 s to go
    assert "about 49 min left" in text(after(slow, BEGUN))[0]


def test_earlier_runs_count_into_the_rate_but_not_into_the_time() -> None:
    state = BatchState()
    earlier = {"done": {"resolved": 3, "unresolved": 1}, "done_cost_usd": 1.0}
    state.take(type(STARTED)(planned=40, asked=8, granted=8, **earlier), 0.0)
    lines = text(state)
    assert lines[0].startswith("4/40 done")
    assert "left" not in lines[0]
    assert lines[1].startswith("resolved 3 of 4")
    assert "$1.00 so far · about $10.00 in all" in lines[2]


def test_the_provider_holds_back_until_it_does_not() -> None:
    assert "provider: 429 Too Many Requests, again in 5 s" in text(after(SLOW), 7.0)
    assert "provider: 429 Too Many Requests" in text(after(SLOW), 90.0)
    assert not [line for line in text(after(SLOW, FREE)) if "provider" in line]


def test_who_is_stuck_stands_first_with_what_it_waits_for() -> None:
    lines = text(after(EpisodeStarted(task_id="early", attempt=1, tries=1), BEGUN, STUCK))
    rows = [line for line in lines if ".1 " in line]
    assert "stuck 6:33: the engine: create" in rows[0]
    assert rows[1].startswith("early.1")
    also = Waiting(task_id="early", attempt=1, waits_for="the disk", for_s=300.0)
    lines = text(after(BEGUN, STUCK, Stuck(episodes=(also,))))
    assert "2 episodes stuck, see below" in lines
    for sign_of_life in (ENDED, TURN, STEP, AGAIN, Stuck(episodes=())):
        lines = text(after(BEGUN, STUCK, sign_of_life))
        assert not [line for line in lines if "stuck" in line]


def test_budget_and_pause_are_said() -> None:
    lines = text(after(BUDGET, PAUSED))
    assert "24% of $5.00" in lines
    assert any(line.startswith("paused: the budget is used up; raise limits") for line in lines)


@pytest.mark.parametrize("height", [1, 2, 3, 5, 24, 60])
def test_what_has_no_room_is_counted(height: int) -> None:
    lines = text(many(500), height=height)
    assert len(lines) <= height
    rows = [line for line in lines if line.startswith("task-")]
    if height >= 5:
        assert len(lines) == height
        assert lines[-1] == f"and {500 - len(rows)} more"
        assert rows


def test_as_many_as_there_is_room_for_are_all_shown() -> None:
    lines = text(many(21), height=23)
    assert len([line for line in lines if line.startswith("task-")]) == 21
    assert not [line for line in lines if "more" in line]


def test_a_name_too_long_keeps_its_end() -> None:
    row = text(many(1, "owner__a-project-with-a-name-that-does-not-end"), width=59)[-1]
    assert row.startswith("…")
    assert "-0.1  " in row


NAME = st.text(min_size=1, max_size=80)


@given(names=st.lists(NAME, max_size=30), width=st.integers(59, 200), height=st.integers(1, 60))
def test_nothing_is_wider_or_higher_than_the_terminal(
    names: list[str], width: int, height: int
) -> None:
    state = after(SLOW, PAUSED, BUDGET, ENDED, FAILED)
    waits = []
    for number, name in enumerate(names):
        who = {"task_id": name, "attempt": number}
        state.take(EpisodeStarted(**who, tries=1), 0.0)
        state.take(EpisodeStep(**who, text=name * 9), 0.0)
        waits.append(Waiting(**who, waits_for=name, for_s=5.0))
    state.take(Stuck(episodes=tuple(waits[:3])), 0.0)
    lines = text(state, 1e5, width, height)
    assert len(lines) <= height
    assert [line for line in lines if cell_len(line) > width or not line.isprintable()] == []
