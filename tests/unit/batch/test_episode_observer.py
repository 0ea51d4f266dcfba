"""What an episode says becomes events, and lines in its own log."""

import io

from agent_runner.batch.events import EpisodeRemark, EpisodeStep, EpisodeTurn, Event
from agent_runner.batch.observer import EpisodeObserver
from agent_runner.provider.profile import Prices
from agent_runner.trajectory import CallLine, TurnLine, TurnUsage

PRICES = Prices(prompt=10, completion=100, cached=1)


def turn(number: int, completion_tokens: int | None = 10, calls: int = 1) -> TurnLine:
    call = CallLine(
        id="1", tool="docker_sh", arguments={"command": "ls\n-la"}, is_error=False,
        text="exit code 0\nmuch", handle="o1", exit_code=0, duration_s=0.1,
    )  # fmt: skip
    usage = TurnUsage(prompt_tokens=1_000, completion_tokens=completion_tokens, cached_tokens=900)
    return TurnLine(
        turn=number, content="", reasoning=None, finish_reason=None, usage=usage, attempts=(),
        repairs={}, calls=(call,) * calls, duration_s=1.0,
    )  # fmt: skip


class Heard:
    def __init__(self, prices: Prices | None = None) -> None:
        self.events: list[Event] = []
        self.log, self.stream = io.StringIO(), io.StringIO()
        self.observer = EpisodeObserver(
            stream=self.stream, log=self.log, tell=self.events.append,
            task_id="x", attempt=2, prices=prices,
        )  # fmt: skip


def test_steps_and_complaints_are_events_and_lines_of_its_log() -> None:
    heard = Heard()
    with heard.observer.waiting("building"):
        heard.observer.step("resolving")
    heard.observer.say("graded")
    heard.observer.complain("not cleaned up")
    heard.observer.late("waiting for the provider")
    assert [(type(event), event.text) for event in heard.events] == [  # type: ignore[union-attr]
        (EpisodeStep, "building"), (EpisodeStep, "resolving"), (EpisodeStep, "graded"),
        (EpisodeRemark, "not cleaned up"), (EpisodeStep, "waiting for the provider"),
    ]  # fmt: skip
    assert {event.key for event in heard.events} == {("x", 2)}  # type: ignore[union-attr]
    assert len(heard.log.getvalue().splitlines()) == 5
    assert heard.stream.getvalue() == ""


def test_a_turn_is_an_event_with_what_was_done() -> None:
    heard = Heard(PRICES)
    heard.observer.turn(turn(1))
    heard.observer.show("turn 2")
    (event,) = heard.events
    assert isinstance(event, EpisodeTurn)
    (call,) = event.calls
    assert (call.tool, call.arguments, call.ending) == ("docker_sh", "ls -la", "exit code 0")
    assert (event.prompt_tokens, event.completion_tokens) == (1_000, 10)
    assert "docker_sh(ls -la) -> exit code 0" in heard.log.getvalue()


def costs(heard: Heard) -> list[float | None]:
    return [event.cost_usd for event in heard.events if isinstance(event, EpisodeTurn)]


def test_cost_adds_up_and_is_unknown_from_the_first_turn_that_was_not_counted() -> None:
    heard = Heard(PRICES)
    for line in (turn(1), turn(2), turn(3, None), turn(4)):
        heard.observer.turn(line)
    assert costs(heard) == [0.0029, 0.0058, None, None]
    unpriced = Heard()
    unpriced.observer.turn(turn(1))
    assert costs(unpriced) == [None]
