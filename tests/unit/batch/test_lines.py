"""Every event as one line."""

import pytest

from agent_runner.batch.display.lines import is_news, line, went_wrong
from agent_runner.batch.events import BatchStarted, EpisodeStarted, Event, Stuck, Waiting
from agent_runner.result import Status, Termination
from tests.unit.batch.told import (
    AGAIN,
    ALL,
    BEGUN,
    BUDGET,
    ENDED,
    FAILED,
    FREE,
    OVER,
    PAUSED,
    REMARK,
    SLOW,
    STARTED,
    STEP,
    STUCK,
    TURN,
    after,
)  # fmt: skip

STOPPED = ENDED.model_copy(
    update={"status": Status.UNRESOLVED, "termination": Termination.MAX_TURNS, "cost_usd": None}
)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (STARTED, "40 episodes, 8 at once (asked for: as many as the machine bears)"),
        (
            BatchStarted(
                planned=40, done={Status.RESOLVED: 12}, asked=64, granted=8, granted_by="memory"
            ),
            "40 episodes, 12 of them done before, 8 at once (asked for: 64, bound by memory)",
        ),
        (BEGUN, "tidyframe__x.1  begins"),
        (EpisodeStarted(task_id="x", attempt=2, tries=3), "x.2  begins, try 3"),
        (STEP, "tidyframe__x.1  building a layer"),
        (REMARK, "tidyframe__x.1  not cleaned up, `clean` will"),
        (
            TURN,
            "tidyframe__x.1  turn 3  swe_pytest(tests) -> 3 passed  "
            "[1.2 s, 900+45 tokens, $0.02 so far]",
        ),
        (
            TURN.model_copy(update={"calls": (), "prompt_tokens": None, "cost_usd": None}),
            "tidyframe__x.1  turn 3  wrote, without a call  [1.2 s, ? tokens]",
        ),
        (ENDED, " 1/40  tidyframe__x.1  resolved, 7 turns, 12.3 s, $0.02"),
        (STOPPED, " 1/40  tidyframe__x.1  unresolved, max_turns, 7 turns, 12.3 s, cost unknown"),
        (
            FAILED,
            " 1/40  tidyframe__x.1  infra_error, 7 turns, 12.3 s, $0.02: "
            "container_lost: removed from outside",
        ),
        (AGAIN, "tidyframe__x.1  try 1 failed: engine_unavailable: no answer; again in 4 s"),
        (SLOW, "provider: 429 Too Many Requests, again in 12 s"),
        (FREE, "provider: free again"),
        (STUCK, "stuck: tidyframe__x.1 for 5:10: the engine: create"),
        (BUDGET, "budget: 1.2 of 5 usd"),
        (PAUSED, "paused: the budget is used up; raise limits.batch_cost_usd"),
        (OVER, "ended after 3:21: 27 resolved, 13 unresolved"),
    ],
)
def test_an_event_in_a_line(event: Event, said: str) -> None:
    assert line(event, after()) == said


def test_quiet_keeps_what_went_wrong() -> None:
    assert [event.type for event in ALL if went_wrong(event)] == [
        "episode_remark", "episode_ended", "episode_again", "stuck", "paused"
    ]  # fmt: skip
    assert went_wrong(FAILED)
    assert not went_wrong(STOPPED)


def test_the_screen_is_spared_what_the_table_shows() -> None:
    quiet = {event.type for event in ALL if not is_news(event, after())}
    assert quiet == {"episode_started", "episode_step", "episode_turn", "budget", "provider"}
    assert is_news(SLOW, after())
    assert not is_news(SLOW, after(SLOW))
    assert is_news(FREE, after(SLOW))


def test_who_is_stuck_is_news_once() -> None:
    assert not is_news(STUCK, after(BEGUN, STUCK))
    other = Waiting(task_id="y", attempt=1, waits_for="the engine", for_s=300)
    assert is_news(Stuck(episodes=(*STUCK.episodes, other)), after(BEGUN, STUCK))
    assert not is_news(Stuck(episodes=()), after(BEGUN, STUCK))
