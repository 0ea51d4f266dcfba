"""Each event in one line: for `run.log`, and where it is worth a person's while for the screen."""

from collections.abc import Callable

from agent_runner.batch.display.state import BatchState, cost_of, name
from agent_runner.batch.events import (
    BatchEnded,
    BatchStarted,
    Budget,
    EpisodeAgain,
    EpisodeEnded,
    EpisodeRemark,
    EpisodeStarted,
    EpisodeStep,
    EpisodeTurn,
    Event,
    Paused,
    Provider,
    Stuck,
)
from agent_runner.result import Status
from agent_runner.screen.figures import clock, counted, dollars

STYLES = {
    Status.RESOLVED: "green",
    Status.UNRESOLVED: "",
    Status.INTERRUPTED: "yellow",
}


def line(event: Event, state: BatchState) -> str:
    """An event in one line.

    Args:
        state: of the batch, as it was before the event.
    """
    return _LINES[type(event)](event, state)


def _batch_started(event: BatchStarted, state: BatchState) -> str:
    done = sum(event.done.values())
    before = f", {done} of them done before" if done else ""
    asked = str(event.asked) if event.asked else "as many as the machine bears"
    bound = f", bound by {event.granted_by}" if event.granted_by else ""
    at_once = f"{event.granted} at once (asked for: {asked}{bound})"
    return f"{counted(event.planned, 'episode')}{before}, {at_once}"


def _episode_started(event: EpisodeStarted, state: BatchState) -> str:
    return f"{name(event)}  begins" + (f", try {event.tries}" if event.tries > 1 else "")


def _episode_said(event: EpisodeStep | EpisodeRemark, state: BatchState) -> str:
    return f"{name(event)}  {event.text}"


def _episode_turn(event: EpisodeTurn, state: BatchState) -> str:
    calls = [
        f"{call.tool}({call.arguments}) {'x' if call.is_error else '->'} {call.ending}"
        for call in event.calls
    ]
    used = (event.prompt_tokens, event.completion_tokens)
    counts = "?" if None in used else f"{used[0]}+{used[1]}"
    cost = "" if event.cost_usd is None else f", {dollars(event.cost_usd)} so far"
    said = "; ".join(calls) or "wrote, without a call"
    spent = f"[{event.duration_s:.1f} s, {counts} tokens{cost}]"
    return f"{name(event)}  turn {event.turn}  {said}  {spent}"


def _episode_ended(event: EpisodeEnded, state: BatchState) -> str:
    planned = str(state.planned)
    number = f"{state.done + 1:>{len(planned)}}/{planned}"
    parts = [str(event.status)]
    if event.termination is not None and event.status is not Status.RESOLVED:
        parts.append(str(event.termination))
    if event.turns:
        parts.append(counted(event.turns, "turn"))
    parts.append(f"{event.duration_s:.1f} s")
    cost_usd = cost_of(event)
    if cost_usd is None:
        parts.append("cost unknown")
    elif event.turns:
        parts.append(dollars(cost_usd))
    error = f": {event.error_kind}: {event.error_message}" if event.error_kind else ""
    return f"{number}  {name(event)}  {', '.join(parts)}{error}"


def _episode_again(event: EpisodeAgain, state: BatchState) -> str:
    failed = f"try {event.tries} failed: {event.error_kind}: {event.error_message}"
    return f"{name(event)}  {failed}; again in {event.wait_s:.0f} s"


def _provider(event: Provider, state: BatchState) -> str:
    if not event.text:
        return "provider: free again"
    until = "" if event.wait_s is None else f", again in {clock(event.wait_s)}"
    return f"provider: {event.text}{until}"


def _stuck(event: Stuck, state: BatchState) -> str:
    each = [f"{name(one)} for {clock(one.for_s)}: {one.waits_for}" for one in event.episodes]
    return f"stuck: {'; '.join(each) or 'nobody any more'}"


def _budget(event: Budget, state: BatchState) -> str:
    return f"budget: {event.spent:g} of {event.limit:g} {event.unit}"


def _paused(event: Paused, state: BatchState) -> str:
    return f"paused: {event.why}"


def _batch_ended(event: BatchEnded, state: BatchState) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in event.counts.items() if count)
    return f"ended after {clock(event.duration_s)}: {counts or 'nothing has a result'}"


_LINES: dict[type, Callable[..., str]] = {
    BatchStarted: _batch_started,
    EpisodeStarted: _episode_started,
    EpisodeStep: _episode_said,
    EpisodeRemark: _episode_said,
    EpisodeTurn: _episode_turn,
    EpisodeEnded: _episode_ended,
    EpisodeAgain: _episode_again,
    Provider: _provider,
    Stuck: _stuck,
    Budget: _budget,
    Paused: _paused,
    BatchEnded: _batch_ended,
}


def went_wrong(event: Event) -> bool:
    """Whether not even `--quiet` keeps it from the screen."""
    if isinstance(event, EpisodeEnded):
        return event.error_kind is not None
    return isinstance(event, EpisodeAgain | EpisodeRemark | Paused | Stuck)


def is_news(event: Event, state: BatchState) -> bool:
    """Whether the screen gets a line of it, beside the table if there is one.

    Args:
        state: of the batch, as it was before the event.
    """
    match event:
        case Provider():
            return bool(event.text) != (state.held is not None)
        case Stuck():
            return any(
                (before := state.stuck.get(one.key)) is None or before.waits_for != one.waits_for
                for one in event.episodes
            )
        case EpisodeStarted() | EpisodeStep() | EpisodeTurn() | Budget():
            return False
        case _:
            return True


def style(event: Event) -> str:
    """How its line looks on a terminal."""
    if isinstance(event, EpisodeEnded):
        return STYLES.get(event.status, "red")
    if isinstance(event, Paused):
        return "bold red"
    return "yellow" if went_wrong(event) or isinstance(event, Provider) else ""
