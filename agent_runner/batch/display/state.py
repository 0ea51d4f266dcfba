"""How far a batch is, as its events tell it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from agent_runner.batch.events import (
    BatchEnded,
    BatchStarted,
    Budget,
    EpisodeAgain,
    EpisodeEnded,
    EpisodeStarted,
    EpisodeStep,
    EpisodeTurn,
    Event,
    OfEpisode,
    Paused,
    Provider,
    Stuck,
    Waiting,
)
from agent_runner.result import Status
from agent_runner.text import one_line

Key = tuple[str, int]
VERDICTS = (Status.RESOLVED, Status.UNRESOLVED)


@dataclass
class Running:
    """An episode under way.

    Attributes:
        began_s: when its try began, on a monotonic clock.
        what: what it is at: a step, or what its last turn did.
        tokens: of its turns so far, None where the endpoint did not count one of them.
        cost_usd: of its turns so far, None where it is not known.
    """

    name: str
    began_s: float
    turn: int = 0
    what: str = "beginning"
    tokens: int | None = 0
    cost_usd: float | None = 0.0


class Held(NamedTuple):
    """The provider holds requests back."""

    text: str
    until_s: float | None


class Wait(NamedTuple):
    """What somebody waits for, and since when."""

    waits_for: str
    since_s: float


@dataclass
class BatchState:
    """What can be known from the events so far; seconds are those of a monotonic clock.

    Attributes:
        counts: what became of the episodes that have their result, earlier runs included.
        ended: how many of them ended in this run; `ended_s` is how long those took together.
        cost_usd: of those whose cost is known (`costed`); `uncosted` counts the others.
        budgets: by their unit.
        longest_name: of the episodes so far, as `task_id.attempt`, in characters.
    """

    planned: int = 0
    granted: int = 1
    began_s: float = 0.0
    counts: Counter[Status] = field(default_factory=Counter)
    ended: int = 0
    ended_s: float = 0.0
    cost_usd: float = 0.0
    costed: int = 0
    uncosted: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    running: dict[Key, Running] = field(default_factory=dict)
    stuck: dict[Key, Wait] = field(default_factory=dict)
    held: Held | None = None
    budgets: dict[str, Budget] = field(default_factory=dict)
    paused: str = ""
    longest_name: int = 0

    @property
    def done(self) -> int:
        """How many have their result."""
        return self.counts.total()

    @property
    def waiting(self) -> int:
        """How many have not begun."""
        return max(0, self.planned - self.done - len(self.running))

    def cost_so_far_usd(self) -> float:
        """What is known to be spent, on those under way too."""
        return self.cost_usd + sum(one.cost_usd or 0.0 for one in self.running.values())

    def cost_expected_usd(self) -> float | None:
        """Of the whole batch by the mean of what ended; None where that is not known of each."""
        if self.uncosted or not self.costed:
            return None
        return max(self.cost_so_far_usd(), self.cost_usd / self.costed * self.planned)

    def left_s(self, now_s: float) -> float | None:
        """A guess by the mean of what ended; None before anything did."""
        if not self.ended or self.done >= self.planned:
            return None
        mean_s = self.ended_s / self.ended
        left = [max(0.0, mean_s - (now_s - one.began_s)) for one in self.running.values()]
        work_s = sum(left) + mean_s * self.waiting
        at_once = max(1, min(self.granted, self.planned - self.done))
        return max(work_s / at_once, max(left, default=0.0))

    def take(self, event: Event, now_s: float) -> None:
        """What an event changes."""
        if isinstance(event, OfEpisode):
            self.stuck.pop(event.key, None)
        if (change := _CHANGES.get(type(event))) is not None:
            change(self, event, now_s)

    def _batch_started(self, event: BatchStarted, now_s: float) -> None:
        self.planned, self.granted, self.began_s = event.planned, event.granted, now_s
        self.counts = Counter(event.done)
        if event.done_cost_usd is None:
            self.uncosted = self.done
        else:
            self.cost_usd, self.costed = event.done_cost_usd, self.done

    def _episode_started(self, event: EpisodeStarted, now_s: float) -> None:
        one = Running(name(event), now_s)
        self.running[event.key] = one
        self.longest_name = max(self.longest_name, len(one.name))

    def _episode_step(self, event: EpisodeStep, now_s: float) -> None:
        if (one := self.running.get(event.key)) is not None:
            one.what = event.text

    def _episode_turn(self, event: EpisodeTurn, now_s: float) -> None:
        if (one := self.running.get(event.key)) is None:
            return
        one.turn, one.what = event.turn, last_call(event)
        used = (event.prompt_tokens, event.completion_tokens)
        one.tokens = None if one.tokens is None else added((one.tokens, *used))
        one.cost_usd = event.cost_usd

    def _episode_again(self, event: EpisodeAgain, now_s: float) -> None:
        if (one := self.running.get(event.key)) is not None:
            one.what = f"again in {event.wait_s:.0f} s, after {event.error_kind}"

    def _episode_ended(self, event: EpisodeEnded, now_s: float) -> None:
        self.running.pop(event.key, None)
        self.counts[event.status] += 1
        self.ended += 1
        self.ended_s += event.duration_s
        self.prompt_tokens += event.prompt_tokens or 0
        self.completion_tokens += event.completion_tokens or 0
        cost_usd = cost_of(event)
        if cost_usd is None:
            self.uncosted += 1
        else:
            self.costed += 1
            self.cost_usd += cost_usd

    def _provider(self, event: Provider, now_s: float) -> None:
        until_s = None if event.wait_s is None else now_s + event.wait_s
        self.held = Held(event.text, until_s) if event.text else None

    def _stuck(self, event: Stuck, now_s: float) -> None:
        if not event.episodes:
            self.stuck.clear()
        for one in event.episodes:
            self.stuck[one.key] = Wait(one.waits_for, now_s - one.for_s)

    def _budget(self, event: Budget, now_s: float) -> None:
        self.budgets[event.unit] = event

    def _paused(self, event: Paused, now_s: float) -> None:
        self.paused = event.why

    def _batch_ended(self, event: BatchEnded, now_s: float) -> None:
        self.counts = Counter(event.counts)
        self.running.clear()
        self.stuck.clear()


_CHANGES: dict[type, Callable[..., None]] = {
    BatchStarted: BatchState._batch_started,
    EpisodeStarted: BatchState._episode_started,
    EpisodeStep: BatchState._episode_step,
    EpisodeTurn: BatchState._episode_turn,
    EpisodeAgain: BatchState._episode_again,
    EpisodeEnded: BatchState._episode_ended,
    Provider: BatchState._provider,
    Stuck: BatchState._stuck,
    Budget: BatchState._budget,
    Paused: BatchState._paused,
    BatchEnded: BatchState._batch_ended,
}


def name(of: OfEpisode | Waiting) -> str:
    """An episode in one word."""
    return f"{one_line(of.task_id)}.{of.attempt}"


def last_call(event: EpisodeTurn) -> str:
    """What a turn came to, in brief."""
    if not event.calls:
        return "wrote, without a call"
    last = event.calls[-1]
    return f"{last.tool} {'x' if last.is_error else '->'} {last.ending}"


def cost_of(event: EpisodeEnded) -> float | None:
    """What an episode cost; who asked no model paid nothing, whatever the prices."""
    asked_nothing = event.turns == 0 and event.prompt_tokens == event.completion_tokens == 0
    return 0.0 if event.cost_usd is None and asked_nothing else event.cost_usd


def added(counts: Iterable[int | None]) -> int | None:
    """The sum; None where one of them is not known."""
    known = list(counts)
    return None if None in known else sum(count or 0 for count in known)
