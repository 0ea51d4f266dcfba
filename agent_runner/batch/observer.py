"""What one episode of a batch says: events for all, and lines in its own `run.log`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent_runner.batch.events import Call, EpisodeRemark, EpisodeStep, EpisodeTurn, Event
from agent_runner.observer import Observer, brief, first_line, turn_text
from agent_runner.provider.profile import Prices
from agent_runner.provider.records import Usage
from agent_runner.trajectory import TurnLine


@dataclass
class EpisodeObserver(Observer):
    """Silent itself: `tell` gets what there is to show.

    Attributes:
        tell: takes the events, `BatchView.tell` or what sends them there.
        prices: of the model; None where they are unknown, or nothing is paid for.
    """

    quiet: bool = True
    tell: Callable[[Event], None] = field(kw_only=True)
    task_id: str = field(kw_only=True)
    attempt: int = field(kw_only=True)
    prices: Prices | None = field(kw_only=True, default=None)
    _cost_usd: float | None = field(default=0.0, init=False)

    def say(self, text: str) -> None:
        """A step of it."""
        self.step(text)

    def complain(self, text: str) -> None:
        """What went wrong on the way; what came of it is the result."""
        self.note(text)
        self.tell(EpisodeRemark(task_id=self.task_id, attempt=self.attempt, text=text))

    def step(self, text: str) -> None:
        """What is being done."""
        self.note(text)
        self.tell(EpisodeStep(task_id=self.task_id, attempt=self.attempt, text=text))

    def show(self, text: str) -> None:
        """Nothing: what only a spinner says, a row of the table says in figures."""

    def turn(self, line: TurnLine) -> None:
        """What the model did in a turn."""
        self.note(turn_text(line))
        self._cost_usd = self._with(line)
        self.tell(
            EpisodeTurn(
                task_id=self.task_id,
                attempt=self.attempt,
                turn=line.turn,
                calls=tuple(
                    Call(
                        tool=call.tool, arguments=brief(call.arguments), is_error=call.is_error,
                        ending=first_line(call),
                    )
                    for call in line.calls
                ),
                duration_s=line.duration_s,
                prompt_tokens=line.usage.prompt_tokens,
                completion_tokens=line.usage.completion_tokens,
                cost_usd=self._cost_usd,
            )
        )  # fmt: skip

    @contextmanager
    def waiting(self, what: str, *, lines: bool = True) -> Iterator[None]:
        """A step that takes long."""
        self.step(what)
        yield

    def _with(self, line: TurnLine) -> float | None:
        """What accepted replies cost so far; the result adds those that were thrown away."""
        if self.prices is None or self._cost_usd is None:
            return None
        used = Usage(
            prompt_tokens=line.usage.prompt_tokens,
            completion_tokens=line.usage.completion_tokens,
            cached_tokens=line.usage.cached_tokens,
        )
        cost_usd = self.prices.cost_usd(used)
        return None if cost_usd is None else self._cost_usd + cost_usd
