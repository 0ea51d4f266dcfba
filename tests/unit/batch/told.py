"""Events to build others from, one of each kind."""

from agent_runner.batch.display.state import BatchState
from agent_runner.batch.events import (
    BatchEnded,
    BatchStarted,
    Budget,
    Call,
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
    Waiting,
)
from agent_runner.errors import FaultKind
from agent_runner.result import Status, Termination

STARTED = BatchStarted(planned=40, asked=0, granted=8)
BEGUN = EpisodeStarted(task_id="tidyframe__x", attempt=1, tries=1)
STEP = EpisodeStep(task_id="tidyframe__x", attempt=1, text="building a layer")
REMARK = EpisodeRemark(task_id="tidyframe__x", attempt=1, text="not cleaned up, `clean` will")
TURN = EpisodeTurn(
    task_id="tidyframe__x",
    attempt=1,
    turn=3,
    calls=(Call(tool="swe_pytest", arguments="tests", is_error=False, ending="3 passed"),),
    duration_s=1.25,
    prompt_tokens=900,
    completion_tokens=45,
    cost_usd=0.02,
)
ENDED = EpisodeEnded(
    task_id="tidyframe__x",
    attempt=1,
    status=Status.RESOLVED,
    termination=Termination.SUBMITTED,
    turns=7,
    duration_s=12.34,
    cost_usd=0.02,
    prompt_tokens=9_000,
    completion_tokens=450,
)
FAILED = ENDED.model_copy(
    update={
        "status": Status.INFRA_ERROR,
        "termination": None,
        "error_kind": FaultKind.CONTAINER_LOST,
        "error_message": "removed from outside",
    }
)
AGAIN = EpisodeAgain(
    task_id="tidyframe__x",
    attempt=1,
    tries=1,
    error_kind=FaultKind.ENGINE_UNAVAILABLE,
    error_message="no answer",
    wait_s=4,
)
SLOW = Provider(text="429 Too Many Requests", wait_s=12)
FREE = Provider(text="")
STUCK = Stuck(
    episodes=(
        Waiting(task_id="tidyframe__x", attempt=1, waits_for="the engine: create", for_s=310),
    )
)
BUDGET = Budget(unit="usd", spent=1.2, limit=5)
PAUSED = Paused(why="the budget is used up; raise limits.batch_cost_usd")
OVER = BatchEnded(counts={Status.RESOLVED: 27, Status.UNRESOLVED: 13}, duration_s=201)

ALL: tuple[Event, ...] = (
    STARTED, BEGUN, STEP, REMARK, TURN, ENDED, FAILED, AGAIN, SLOW, FREE, STUCK, BUDGET, PAUSED,
    OVER,
)  # fmt: skip


def after(*events: Event, now_s: float = 0.0) -> BatchState:
    """The state of a batch of which these events were told at one moment."""
    state = BatchState()
    for event in (STARTED, *events):
        state.take(event, now_s)
    return state
