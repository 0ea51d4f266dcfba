"""What a batch tells while it goes on: plain data, one kind per `type`, a line of JSON each.

They go to the display, to `run.log` and with `--json` to stdout; from an executor on another
machine they come as the same lines.
"""

import json
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, TypeAdapter

from agent_runner.errors import FaultKind, ProviderKind
from agent_runner.result import Record, Status, Termination
from agent_runner.text import one_line

ErrorKind = FaultKind | ProviderKind | Literal["internal"]
Line = Annotated[str, BeforeValidator(lambda text: one_line(text) if type(text) is str else text)]


class Told(Record):
    """What every event has: when it happened, in UTC."""

    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class OfEpisode(Told):
    """An event of one episode.

    Attributes:
        attempt: of the task, from 1.
    """

    task_id: str
    attempt: int

    @property
    def key(self) -> tuple[str, int]:
        """Which episode it is of."""
        return self.task_id, self.attempt


class BatchStarted(Told):
    """What is to be done, and what of it was done before.

    Attributes:
        planned: episodes of the whole batch.
        done: how many of them have their result already, by status.
        done_cost_usd: what those cost; None where that is not known of each.
        asked, granted: episodes at once; asked 0 is as many as the machine bears.
        granted_by: what bounds `granted`, in a few words; "" where it is what was asked for.
    """

    type: Literal["batch_started"] = "batch_started"
    planned: int
    done: dict[Status, int] = Field(default_factory=dict)
    done_cost_usd: float | None = None
    asked: int
    granted: int
    granted_by: Line = ""


class EpisodeStarted(OfEpisode):
    """A try at an episode begins; `tries` counts it, from 1."""

    type: Literal["episode_started"] = "episode_started"
    tries: int


class EpisodeStep(OfEpisode):
    """What an episode is at from now on."""

    type: Literal["episode_step"] = "episode_step"
    text: Line


class EpisodeRemark(OfEpisode):
    """What went wrong on the way and was got round; the result says what came of it."""

    type: Literal["episode_remark"] = "episode_remark"
    text: Line


class Call(Record):
    """A tool call in brief: its arguments and the first line of its answer."""

    tool: str
    arguments: Line
    is_error: bool
    ending: Line


class EpisodeTurn(OfEpisode):
    """A turn is over.

    Attributes:
        calls: in their order; none where the model only wrote.
        duration_s: of the turn, waiting for the provider included.
        prompt_tokens, completion_tokens: of this turn; None where the endpoint did not count.
        cost_usd: of the episode's turns so far; None where it is not known.
    """

    type: Literal["episode_turn"] = "episode_turn"
    turn: int
    calls: tuple[Call, ...]
    duration_s: float
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None


class EpisodeEnded(OfEpisode):
    """An episode has its result.

    Attributes:
        prompt_tokens, completion_tokens, cost_usd: of the episode; None where not known.
        error_kind, error_message: None unless the world or the provider ended it.
    """

    type: Literal["episode_ended"] = "episode_ended"
    status: Status
    termination: Termination | None
    turns: int
    duration_s: float
    cost_usd: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    error_kind: ErrorKind | None = None
    error_message: Line | None = None


class EpisodeAgain(OfEpisode):
    """A try failed, which says nothing of the agent; the episode begins once more.

    Attributes:
        tries: which try failed, from 1.
        wait_s: until the next one.
    """

    type: Literal["episode_again"] = "episode_again"
    tries: int
    error_kind: ErrorKind
    error_message: Line
    wait_s: float


class Provider(Told):
    """The endpoint slows the batch down, or does so no longer.

    Attributes:
        text: why and how; "" once it is free again.
        wait_s: until requests go on; None where that is not known.
    """

    type: Literal["provider"] = "provider"
    text: Line
    wait_s: float | None = None


class Waiting(Record):
    """An episode that waits, for what, and for how many seconds so far."""

    task_id: str
    attempt: int
    waits_for: Line
    for_s: float

    @property
    def key(self) -> tuple[str, int]:
        """Which episode it is."""
        return self.task_id, self.attempt


class Stuck(Told):
    """Who has been waiting too long, until it shows a sign of life; nobody clears them all."""

    type: Literal["stuck"] = "stuck"
    episodes: tuple[Waiting, ...]


class Budget(Told):
    """What the batch has used of a limit of its own."""

    type: Literal["budget"] = "budget"
    unit: Literal["usd", "tokens", "s"]
    spent: float
    limit: float


class Paused(Told):
    """Nothing new begins and turns go no further; `why` says what to do to go on."""

    type: Literal["paused"] = "paused"
    why: Line


class BatchEnded(Told):
    """It is over: what became of the planned episodes, those of earlier runs included."""

    type: Literal["batch_ended"] = "batch_ended"
    counts: dict[Status, int]
    duration_s: float


Event = Annotated[
    BatchStarted | EpisodeStarted | EpisodeStep | EpisodeRemark | EpisodeTurn | EpisodeEnded
    | EpisodeAgain | Provider | Stuck | Budget | Paused | BatchEnded,
    Discriminator("type"),
]  # fmt: skip
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def to_json(event: Event) -> str:
    """One line of JSON in ASCII, as a task id may hold what UTF-8 does not take."""
    tree = event.model_dump(mode="json")
    return json.dumps({"type": tree.pop("type"), **tree}, separators=(",", ":"))


def from_json(line: str) -> Event:
    """An event from its line.

    Raises:
        ValueError: it is none.
    """
    return _EVENT.validate_python(json.loads(line))
