"""What is told is plain data: a line of JSON says all of it, and is one line whatever is inside."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runner.batch.events import EpisodeStarted, EpisodeStep, Event, from_json, to_json
from tests.unit.batch.told import ALL, STEP


@pytest.mark.parametrize("event", ALL, ids=lambda event: event.type)
def test_a_line_of_json_is_the_event_again(event: Event) -> None:
    assert from_json(to_json(event)) == event


def test_there_is_an_example_of_each_kind() -> None:
    kinds = {json.loads(to_json(event))["type"] for event in ALL}
    assert kinds == {
        "batch_started", "episode_started", "episode_step", "episode_remark", "episode_turn",
        "episode_ended", "episode_again", "provider", "stuck", "budget", "paused", "batch_ended",
    }  # fmt: skip


@given(task_id=st.text(st.characters()), text=st.text(st.characters()))
def test_any_text_is_one_line_and_comes_back(task_id: str, text: str) -> None:
    begun = EpisodeStarted(task_id=task_id, attempt=1, tries=1)
    step = EpisodeStep(task_id=task_id, attempt=1, text=text)
    for event in (begun, step):
        line = to_json(event)
        assert len(line.splitlines()) == 1
        assert line.isascii()
        assert from_json(line) == event


def test_what_tools_and_servers_say_is_cut_to_one_line_without_escapes() -> None:
    step = EpisodeStep(task_id="x", attempt=1, text="\x1b[31mone\ntwo\x00\ud800" + "!" * 9_000)
    assert step.text.startswith("one two\ufffd\ufffd!!!")
    assert len(step.text) == 500


@pytest.mark.parametrize("change", [{"type": "gossip"}, {"more": 1}, {"attempt": "one"}])
def test_what_is_no_event_is_refused(change: dict[str, object]) -> None:
    line = json.dumps({**json.loads(to_json(STEP)), **change})
    with pytest.raises(ValueError, match=r"gossip|more|attempt"):
        from_json(line)
