"""AutoGen's agent, our client, a scripted endpoint over HTTP, and small tools: the turn loop."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TerminationCondition

from agent_runner.agent import NAME, NUDGE, Loop
from agent_runner.context import ElidingContext
from agent_runner.errors import FaultKind, InfraFault, ProviderFault, ProviderKind
from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, Prices, with_key
from agent_runner.provider.retries import RetryPolicy
from agent_runner.provider.spending.budget import Budget, BudgetReached, Scope
from agent_runner.result import Termination
from agent_runner.termination import GaveUp, MaxTurns, Submitted
from agent_runner.testing.behaviour import Behaviour, Canned, Stall
from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.script import Script
from agent_runner.trajectory import TurnLine
from tools.errors import ToolRefusal
from tools.tool import Answer, Arguments, Tool
from tools.workbench import TaskWorkbench

QUICK = RetryPolicy(attempts=2, unusable_attempts=2, patience_s=1, base_wait_s=0.001)


class Text(Arguments):
    text: str = ""


@dataclass
class Bench:
    """Tools that write down when they begin and end."""

    log: list[str] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    closable: bool = False

    async def slow(self, given: Text) -> Answer:
        self.log.append(f"{given.text} begins")
        await asyncio.sleep(0.01)
        self.log.append(f"{given.text} ends")
        return Answer(f"did {given.text}")

    async def refuse(self, given: Text) -> Answer:
        raise ToolRefusal(f"no {given.text} here; try another")

    async def lose(self, given: Text) -> Answer:
        raise InfraFault(FaultKind.CONTAINER_LOST, "the container is gone")

    async def bug(self, given: Text) -> Answer:
        raise ZeroDivisionError("a bug")

    async def hang(self, given: Text) -> Answer:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.log.append("hang was ended")
        return Answer("never")

    def workbench(self) -> TaskWorkbench:
        async def ready() -> None:
            self.log.append("ready")

        calls = (self.slow, self.refuse, self.lose, self.bug, self.hang)
        tools = [
            Tool(call.__name__, "does", Text, call, limit_s=30, closable=self.closable)
            for call in calls
        ]
        return TaskWorkbench(tools, ready)


@dataclass
class Played:
    """One episode, and what it left."""

    bench: Bench = field(default_factory=Bench)
    lines: list[TurnLine] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    loop: Loop | None = None
    timeout_s: float = 5.0
    budget: Budget | None = None

    async def play(
        self,
        behaviours: Sequence[Behaviour],
        condition: TerminationCondition | None = None,
        limit_s: float = 10.0,
    ) -> Termination:
        async with FakeEndpoint(behaviours, models=["scripted"]) as endpoint:
            profile = ModelProfile(
                name="s", model="scripted", base_url=endpoint.base_url, timeout_s=self.timeout_s,
                prices=Prices(prompt=1.0, completion=1.0),
            )  # fmt: skip
            async with ModelClient(with_key(profile, {}), QUICK) as client:
                workbench = self.bench.workbench()
                episode = client.for_episode(closable=workbench.closable, budget=self.budget)
                agent = AssistantAgent(
                    NAME,
                    episode,
                    workbench=workbench,
                    model_context=ElidingContext(100_000, 0.8, 0.5),
                    max_tool_iterations=1,
                )
                ending = condition or Submitted() | GaveUp(2) | MaxTurns(20)
                self.loop = Loop(agent, episode, workbench, ending, limit_s, self.lines.append)
                try:
                    return await self.loop.run("repair it")
                finally:
                    self.requests = [each.chat() for each in endpoint.requests]


def calls(*tools: str, text: str = "x", **turn: object) -> dict[str, object]:
    named = [{"tool": name, "arguments": {"text": f"{text}{n}"}} for n, name in enumerate(tools)]
    return turn | {"reply": {"calls": named}}


def says(text: str, **turn: object) -> dict[str, object]:
    return turn | {"reply": {"content": text}}


def script(*turns: dict[str, object]) -> Script:
    return Script.model_validate({"turns": turns})


SUBMIT = says("Done.\nTERMINATE")


async def test_turns_are_counted_and_told_until_the_model_submits() -> None:
    played = Played()
    turns = (
        calls("slow", text="a", expect=["repair it"]),
        calls("refuse", text="b", expect=["did a0"], absent=["repair it"]),
        says("Done.\nTERMINATE", expect=["no b0 here; try another"]),
    )
    assert await played.play([script(*turns)]) is Termination.SUBMITTED
    assert [line.turn for line in played.lines] == [1, 2, 3]
    first, second, third = played.lines
    (call,) = first.calls
    assert (call.id, call.tool, call.arguments) == ("call_1_0", "slow", {"text": "a0"})
    assert (call.text, call.is_error) == ("did a0", False)
    assert second.calls[0].is_error
    assert (third.calls, third.content) == ((), "Done.\nTERMINATE")
    assert first.attempts[0].status == 200
    assert (first.usage.prompt_tokens or 0) < (third.usage.prompt_tokens or 0)
    assert played.loop is not None
    assert played.loop.tally.turns == 3
    assert played.loop.tally.usage(None).calls == 3


async def test_text_without_a_call_is_nudged_and_then_it_gave_up() -> None:
    played = Played()
    turns = (
        says("Let me think.", expect=["repair it"]),
        calls("slow", expect=[NUDGE]),
        says("Hm.", absent=[NUDGE]),
        says("Hm?", expect=[NUDGE]),
    )
    assert await played.play([script(*turns)]) is Termination.GAVE_UP
    assert played.loop is not None
    assert played.loop.tally.turns == 4


async def test_a_retried_request_is_no_turn() -> None:
    played = Played()
    answers: list[Behaviour] = [Canned(status=503), script(SUBMIT)]
    assert await played.play(answers) is Termination.SUBMITTED
    (line,) = played.lines
    assert [attempt.status for attempt in line.attempts] == [503, 200]
    assert played.loop is not None
    assert played.loop.tally.usage(None).retries == 1


async def test_the_turns_run_out() -> None:
    played = Played()
    endless = script(*[calls("slow") for _ in range(5)])
    assert await played.play([endless], MaxTurns(3)) is Termination.MAX_TURNS
    assert (len(played.lines), len(played.requests)) == (3, 3)


async def test_the_first_condition_names_the_end_when_two_fire_at_once() -> None:
    ending = Submitted() | GaveUp(0) | MaxTurns(1)
    assert await Played().play([script(SUBMIT)], ending) is Termination.SUBMITTED


async def test_two_calls_in_one_reply_run_one_after_the_other() -> None:
    played = Played()
    await played.play([script(calls("slow", "slow", "slow"), SUBMIT)])
    order = [f"x{n} {when}" for n in range(3) for when in ("begins", "ends")]
    assert [said for said in played.bench.log if said != "ready"] == order
    assert [call.arguments["text"] for call in played.lines[0].calls] == ["x0", "x1", "x2"]


async def test_no_tool_runs_before_the_workbench_is_ready() -> None:
    played = Played()
    await played.play([script(calls("slow"), SUBMIT)])
    assert played.bench.log[:2] == ["ready", "x0 begins"]


async def test_what_autogen_answers_itself_is_recorded_as_well() -> None:
    broken: dict[str, object] = {"reply": {"calls": [{"tool": "slow", "arguments": '{"text": "a'}]}}
    unknown: dict[str, object] = {"reply": {"calls": [{"tool": "fly", "arguments": {"far": 1}}]}}
    played = Played()
    turns = (broken, unknown | {"expect": ["not valid JSON"]}, SUBMIT | {"expect": ["fly"]})
    assert await played.play([script(*turns)]) is Termination.SUBMITTED
    assert [line.calls[0].is_error for line in played.lines[:2]] == [True, True]
    assert played.lines[0].repairs == {"arguments_invalid": 1}
    (call,) = played.lines[1].calls
    assert (call.id, call.tool, call.arguments) == ("call_2_0", "fly", {"far": 1})
    assert played.bench.log == []


@pytest.mark.parametrize(("tool", "fault"), [("lose", InfraFault), ("bug", ZeroDivisionError)])
async def test_what_no_model_can_mend_leaves_the_loop(tool: str, fault: type[Exception]) -> None:
    played = Played()
    with pytest.raises(fault):
        await played.play([script(calls(tool, "slow"), SUBMIT)])
    assert len(played.requests) == 1
    (line,) = played.lines
    assert [call.tool for call in line.calls] == [tool, "slow"]
    assert not [said for said in played.bench.log if "begins" in said]


async def test_an_endpoint_that_fails_surfaces_as_its_fault() -> None:
    played = Played()
    refused = Canned(status=401, body={"error": {"message": "bad key"}})
    with pytest.raises(ProviderFault, match="bad key") as caught:
        await played.play([script(calls("slow")), refused])
    assert caught.value.kind is ProviderKind.AUTH
    assert len(played.lines) == 1
    assert played.loop is not None
    assert played.loop.tally.usage(None).calls == 2


async def test_a_prompt_that_no_longer_fits_is_an_end_and_no_fault() -> None:
    played = Played()
    full = Canned(status=400, body={"error": {"message": "maximum context length exceeded"}})
    end = await played.play([script(calls("slow")), full])
    assert end is Termination.CONTEXT_OVERFLOW
    assert len(played.lines) == 1


@pytest.mark.parametrize(
    ("budget", "end"),
    [
        (Budget(Scope.EPISODE, 15_000, None), Termination.TOKEN_BUDGET),
        (Budget(Scope.EPISODE, None, 0.015), Termination.COST_BUDGET),
    ],
)
async def test_a_budget_ends_it_before_the_request_that_might_not_fit(
    budget: Budget, end: Termination
) -> None:
    played = Played(budget=budget)
    turns = [{"reply": _said(1_000)} for _ in range(20)]
    assert await played.play([script(*turns)]) is end
    assert len(played.lines) == len(played.requests) < 20
    assert 12_000 <= budget.spent.tokens <= 15_000
    assert budget.held.tokens == 0
    assert played.loop is not None
    assert played.loop.tally.usage(None).calls == len(played.requests)


def _said(tokens: int) -> dict[str, object]:
    usage = {"prompt_tokens": 10, "completion_tokens": tokens}
    return {"calls": [{"tool": "slow", "arguments": {"text": "a"}}], "usage": usage}


async def test_the_batchs_budget_leaves_the_loop() -> None:
    played = Played(budget=Budget(Scope.BATCH, 10, None))
    with pytest.raises(BudgetReached):
        await played.play([script(SUBMIT)])
    assert played.requests == []


async def test_time_runs_out_while_the_model_thinks_and_its_answer_is_still_counted() -> None:
    played = Played()
    late = script(calls("slow", latency_s=0.2), SUBMIT)
    assert await played.play([late], limit_s=0.05) is Termination.TIMEOUT
    assert (len(played.lines), len(played.requests)) == (1, 1)
    assert played.lines[0].usage.prompt_tokens is not None
    assert played.bench.log == []
    assert played.loop is not None
    assert played.loop.tally.throttle_s < 0.1
    assert played.loop.tally.model_s >= 0.2


async def test_waiting_for_a_throttling_provider_does_not_count() -> None:
    played = Played()
    late: Behaviour = Canned(status=503, headers={"Retry-After": "0.4"})
    assert await played.play([late, script(SUBMIT)], limit_s=0.2) is Termination.SUBMITTED
    assert played.loop is not None
    assert played.loop.tally.throttle_s >= 0.4


@pytest.mark.parametrize("late", [Stall(), Canned(status=503, delay_s=0.4)], ids=["stall", "503"])
async def test_an_attempt_that_fails_late_does_not_count(late: Behaviour) -> None:
    played = Played(timeout_s=0.4)
    turns = script(calls("slow"), SUBMIT)
    assert await played.play([late, turns], limit_s=0.3) is Termination.SUBMITTED
    assert played.loop is not None
    assert played.loop.tally.throttle_s >= 0.4
    assert played.loop.tally.model_s < 0.3


async def test_time_runs_out_while_a_tool_runs_and_the_tool_is_ended() -> None:
    played = Played()
    turns = script(calls("hang", "slow"))
    async with asyncio.timeout(5):
        assert await played.play([turns], limit_s=0.1) is Termination.TIMEOUT
    assert played.bench.log == ["ready", "hang was ended"]
    (line,) = played.lines
    assert [(call.tool, call.text) for call in line.calls] == [
        ("hang", "the call was cut short"),
        ("slow", "the call was not run"),
    ]


async def test_cancelling_ends_a_running_tool_at_once_and_keeps_the_turn() -> None:
    played = Played()
    running = asyncio.create_task(played.play([script(calls("slow"), calls("hang"))]))
    async with asyncio.timeout(5):
        await played.bench.began.wait()
    running.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await running
    assert played.bench.log[-1] == "hang was ended"
    assert [line.calls[0].tool for line in played.lines] == ["slow", "hang"]
    assert played.loop is not None
    assert played.loop.tally.turns == 2


KIMI = (
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.{tool}:0"
    "<|tool_call_argument_begin|>{arguments}<|tool_call_end|><|tool_calls_section_end|>"
)


def cut(tool: str, arguments: str) -> dict[str, object]:
    return {"reply": {"calls": [{"tool": tool, "arguments": arguments}], "finish_reason": "length"}}


async def test_a_call_written_as_text_is_run_and_its_repair_stands_in_the_line() -> None:
    played = Played()
    markup = KIMI.format(tool="slow", arguments='{"text": "a"}')
    turns = (says(f"I try.{markup}"), says("TERMINATE", expect=["did a"]))
    assert await played.play([script(*turns)]) is Termination.SUBMITTED
    first = played.lines[0]
    assert (first.content, first.repairs) == ("I try.", {"call_in_text": 1})
    (step,) = first.repair_steps
    assert (step.kind, step.tool) == ("call_in_text", "slow")
    assert step.before == 'functions.slow:0 {"text": "a"}'
    (call,) = first.calls
    assert (call.id, call.tool, call.arguments) == ("functions.slow:0", "slow", {"text": "a"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (KIMI.format(tool="open_file", arguments="{}"), "there is no tool 'functions.open_file:0'"),
        (KIMI.format(tool="slow", arguments='{"t": 1}'), "slow: Additional properties"),
        (KIMI.format(tool="slow", arguments="{}") + " Now wait.", "text follows it"),
    ],
)
async def test_the_model_is_told_why_a_call_it_wrote_as_text_was_not_run(
    text: str, why: str
) -> None:
    played = Played()
    told = ["tool call written as text", why]
    turns = (says(text), says("TERMINATE", expect=told, absent=[NUDGE]))
    assert await played.play([script(*turns)]) is Termination.SUBMITTED
    assert played.lines[0].repairs == {"call_lost": 1}
    assert why in (played.lines[0].repair_steps[0].why or "")


async def test_the_model_is_told_that_its_reply_was_cut_off_by_its_length() -> None:
    played = Played()
    told = "your reply reached the limit of its length"
    turns = (
        cut("slow", '{"text": "a'),
        calls("slow", text="b", expect=[told]),
        says("TERMINATE", absent=[told]),
    )
    assert await played.play([script(*turns)]) is Termination.SUBMITTED
    assert played.lines[0].repairs == {"arguments_cut": 1}
    assert played.bench.log == ["ready", "b0 begins", "b0 ends"]


async def test_cut_arguments_are_closed_for_a_tool_that_says_so() -> None:
    played = Played(bench=Bench(closable=True))
    turns = (cut("slow", '{"text": "a'), says("TERMINATE", expect=["did a"]))
    assert await played.play([script(*turns)]) is Termination.SUBMITTED
    assert played.lines[0].repairs == {"arguments_closed": 1}
