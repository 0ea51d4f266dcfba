"""Each row of the table of outcomes, with the real client and a real agent in its loop."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from agent_runner.agent import NUDGE, Loop
from agent_runner.config import RunConfig
from agent_runner.draft import Draft
from agent_runner.errors import ProviderFault
from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, with_key
from agent_runner.provider.records import Attempt
from agent_runner.provider.retries import RetryPolicy
from agent_runner.provider.traffic.policy import TrafficPolicy
from agent_runner.result import ErrorInfo, Termination
from agent_runner.stages import Stages
from agent_runner.task import Task
from agent_runner.termination import GaveUp, MaxTurns, Submitted
from agent_runner.testing.behaviour import Behaviour
from agent_runner.testing.catalogue import FAULTS, Timing
from agent_runner.testing.chat import Chat
from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.script import Script
from agent_runner.trajectory import TurnLine
from tests.contract.loop import agent_of
from tests.contract.outcome import Again, Ends, Good, Overflow, Row
from tests.contract.outcomes import ROWS
from tools.tool import Answer, Arguments, Tool
from tools.workbench import TaskWorkbench

DEADLINE_S = 15.0
TIMEOUT_S = 5.0
SHORT_TIMEOUT_S = 0.3
ATTEMPTS = 3
QUICK = RetryPolicy(
    attempts=ATTEMPTS,
    unusable_attempts=ATTEMPTS,
    patience_s=10,
    no_instances_patience_s=0.2,
    base_wait_s=0.001,
    max_wait_s=0.02,
)
TRAFFIC = TrafficPolicy(spread_s=0.01, breaker_wait_s=0.02, breaker_max_wait_s=0.05)  # fmt: skip
TIMING = Timing(retry_after_s=0.02, slow_s=0.05, drip_s=0.05)


def script(*, nudged: bool) -> Script:
    two: dict[str, object] = {
        "expect": [NUDGE if nudged else "noted one"],
        "reply": {"content": "I note.", "calls": [{"tool": "note", "arguments": {"text": "two"}}]},
    }
    first: list[dict[str, object]] = [
        {"reply": {"calls": [{"tool": "note", "arguments": {"text": "one"}}]}},
        *([{"reply": {"content": "never said"}}] if nudged else []),
        two,
        {"expect": ["noted two"], "reply": {"content": "TERMINATE"}},
    ]
    return Script.model_validate({"model": "fake", "turns": first})


@dataclass
class Second:
    """Answers turns with a script, but the second the first `times` times as the row says."""

    script: Script
    row: Row
    times: int
    met: int = 0

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        behaviour: Behaviour = self.script
        if chat.turn == 2 and self.met < self.times:
            self.met += 1
            says = self.row.says
            behaviour = FAULTS[says].make(behaviour, TIMING) if isinstance(says, str) else says
        return await behaviour.respond(request, chat)


class Text(Arguments):
    text: str


@dataclass
class Episode:
    """What one episode left."""

    end: Termination | ProviderFault | None = None
    noted: list[str] = field(default_factory=list)
    lines: list[TurnLine] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    requests: int = 0

    async def note(self, given: Text) -> Answer:
        self.noted.append(given.text)
        return Answer(f"noted {given.text}")

    def statuses(self) -> list[int | None]:
        return [attempt.status for attempt in self.attempts]


async def played(row: Row, times: int) -> Episode:
    episode = Episode()
    nudged = isinstance(row.then, Good) and row.then.nudged
    answering = Second(script(nudged=nudged), row, times)
    async with asyncio.timeout(DEADLINE_S), FakeEndpoint([answering], models=["fake"]) as endpoint:
        stalls = row.says in ("stall", "stall_body", "drip")
        profile = ModelProfile(
            name="fake",
            model="fake",
            base_url=endpoint.base_url,
            timeout_s=SHORT_TIMEOUT_S if stalls else TIMEOUT_S,
        )
        async with ModelClient(with_key(profile, {}), QUICK, traffic=TRAFFIC) as shared:
            client = shared.for_episode()

            async def ready() -> None:
                return None

            workbench = TaskWorkbench([Tool("note", "notes", Text, episode.note, 30)], ready)
            agent = agent_of(client, workbench)
            ending = Submitted() | GaveUp(2) | MaxTurns(9)
            loop = Loop(agent, client, workbench, ending, 10.0, episode.lines.append)
            try:
                episode.end = await loop.run("note one, then two")
            except ProviderFault as fault:
                episode.end = fault
        episode.attempts = [each for record in loop.tally.records for each in record.attempts]
        episode.requests = endpoint.stats().requests
    return episode


def undisturbed(episode: Episode, *, turns: int = 3) -> bool:
    return (
        episode.end is Termination.SUBMITTED
        and episode.noted == ["one", "two"]
        and len(episode.lines) == turns
        and episode.lines[-1].content == "TERMINATE"
    )


def error_info(fault: ProviderFault) -> ErrorInfo:
    """What stands in the result."""
    task = Task.model_validate({"task_id": "t", "repo": "r"})
    draft = Draft(task, RunConfig(), Stages(time.monotonic()))
    draft.fail(fault)
    assert draft.error is not None
    return draft.error


def rows(*kinds: type) -> Sequence[str]:
    return [name for name, row in ROWS.items() if isinstance(row.then, kinds)]


@pytest.mark.parametrize("name", rows(Again))
async def test_met_once_it_disturbs_nothing(name: str) -> None:
    row = ROWS[name]
    assert isinstance(row.then, Again)
    episode = await played(row, times=1)
    assert undisturbed(episode), episode
    # A body with another status inside is known by that one.
    assert episode.statuses() == [200, row.then.status, 200, 200]
    assert [attempt.error is None for attempt in episode.attempts] == [True, False, True, True]
    assert episode.requests == len(episode.attempts)


@pytest.mark.parametrize("name", rows(Again))
async def test_met_for_ever_it_is_a_typed_error_that_may_pass(name: str) -> None:
    row = ROWS[name]
    assert isinstance(row.then, Again)
    episode = await played(row, times=99)
    fault = episode.end
    assert isinstance(fault, ProviderFault)
    assert (str(fault.kind), fault.status, fault.retryable) == (
        row.then.kind,
        row.then.status,
        True,
    )
    check(fault, row.then)
    tried = len(episode.attempts) - 1
    assert episode.statuses() == [200, *[row.then.status] * tried]
    # A missing instance has its own patience, in which attempts are not counted.
    assert tried > ATTEMPTS if name == "503 no instances" else tried == ATTEMPTS
    assert episode.requests == len(episode.attempts)
    assert [line.turn for line in episode.lines] == [1]


@pytest.mark.parametrize("name", rows(Ends))
async def test_what_does_not_pass_ends_the_episode_at_once(name: str) -> None:
    row = ROWS[name]
    assert isinstance(row.then, Ends)
    episode = await played(row, times=99)
    fault = episode.end
    assert isinstance(fault, ProviderFault)
    assert (str(fault.kind), fault.status) == (row.then.kind, row.then.status)
    assert not fault.retryable
    check(fault, row.then)
    assert episode.statuses() == [200, row.then.status]
    assert episode.requests == 2
    assert episode.noted == ["one"]


@pytest.mark.parametrize("name", rows(Overflow))
async def test_a_prompt_that_is_too_long_is_a_normal_end(name: str) -> None:
    episode = await played(ROWS[name], times=99)
    assert episode.end is Termination.CONTEXT_OVERFLOW
    assert episode.requests == len(episode.attempts) == 2
    assert [line.turn for line in episode.lines] == [1]


@pytest.mark.parametrize("name", rows(Good))
async def test_a_reply_that_can_be_used_is_used(name: str) -> None:
    row = ROWS[name]
    assert isinstance(row.then, Good)
    episode = await played(row, times=1)
    assert undisturbed(episode, turns=4 if row.then.nudged else 3), episode
    assert episode.lines[1].repairs == row.then.repairs
    assert {attempt.status for attempt in episode.attempts} == {200}
    assert (episode.lines[1].usage.prompt_tokens is not None) is row.then.counted
    assert episode.requests == len(episode.lines)


def check(fault: ProviderFault, then: Again | Ends) -> None:
    """The error of the result says all a person needs."""
    info = error_info(fault)
    assert (info.kind, info.retryable) == (fault.kind, fault.retryable)
    assert then.says in info.message
    assert "\n" not in info.message
    if fault.status is not None:
        assert "[call request-" in info.message
        assert fault.invocation_id
    if fault.status not in {None, 200}:
        assert info.message.startswith(f"{fault.status} ")


def test_the_table_is_whole() -> None:
    named = {row.says for row in ROWS.values() if isinstance(row.says, str)}
    assert named == {*FAULTS}
