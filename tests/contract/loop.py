"""The turn loop of an agent with small tools, over a scripted endpoint."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TerminationCondition

from agent_runner.agent import NAME, Loop
from agent_runner.context import ElidingContext
from agent_runner.errors import FaultKind, InfraFault
from agent_runner.provider.client import ModelClient
from agent_runner.provider.episode_client import EpisodeClient
from agent_runner.provider.profile import ModelProfile, Prices, with_key
from agent_runner.provider.retries import RetryPolicy
from agent_runner.provider.spending.budget import Budget
from agent_runner.result import Termination
from agent_runner.termination import GaveUp, MaxTurns, Submitted
from agent_runner.testing.behaviour import Behaviour
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
                agent = agent_of(episode, workbench)
                ending = condition or Submitted() | GaveUp(2) | MaxTurns(20)
                self.loop = Loop(agent, episode, workbench, ending, limit_s, self.lines.append)
                try:
                    return await self.loop.run("repair it")
                finally:
                    self.requests = [each.chat() for each in endpoint.requests]


def agent_of(client: EpisodeClient, workbench: TaskWorkbench) -> AssistantAgent:
    """An agent as a run makes it."""
    return AssistantAgent(
        NAME,
        client,
        workbench=workbench,
        model_context=ElidingContext(100_000, 0.8, 0.5),
        max_tool_iterations=1,
    )


def calls(*tools: str, text: str = "x", **turn: object) -> dict[str, object]:
    named = [{"tool": name, "arguments": {"text": f"{text}{n}"}} for n, name in enumerate(tools)]
    return turn | {"reply": {"calls": named}}


def says(text: str, **turn: object) -> dict[str, object]:
    return turn | {"reply": {"content": text}}


def script(*turns: dict[str, object]) -> Script:
    return Script.model_validate({"turns": turns})


SUBMIT = says("Done.\nTERMINATE")
