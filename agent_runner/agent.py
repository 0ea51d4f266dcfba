"""The agent and its turn loop."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import Response, TerminationCondition
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    TextMessage,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from autogen_core import CancellationToken

from agent_runner.provider.faults import ContextOverflow
from agent_runner.provider.records import RepairKind
from agent_runner.provider.spending.budget import BudgetReached, Measure, Scope
from agent_runner.result import Termination
from agent_runner.tally import Tally
from agent_runner.trajectory import AttemptLine, CallLine, RepairLine, TurnLine, TurnUsage
from agent_runner.working_time import WorkingLimit
from tools.tool import Answer
from tools.workbench import Call, TaskWorkbench

if TYPE_CHECKING:
    from agent_runner.provider.episode_client import EpisodeClient
    from agent_runner.provider.records import CallRecord

Delta = list[BaseAgentEvent | BaseChatMessage]
NAME = "engineer"
NUDGE = (
    "That message called no tool, so nothing happened. Call a tool to go on; if the work is done, "
    "answer with TERMINATE alone on the last line."
)
CALL_AS_TEXT = (
    "That message had a tool call written as text, so nothing was run: {why}. Call tools by the "
    "function calling of the API, never as markup or JSON in the message or in your reasoning."
)

_BUDGETS = {
    Measure.TOKENS: Termination.TOKEN_BUDGET,
    Measure.COST: Termination.COST_BUDGET,
}


@dataclass
class Loop:
    """One agent at work: a turn is one accepted reply and the tool calls it asked for.

    Attributes:
        limit_s: seconds for the whole loop; those for which the provider is late do not count. A
            request under way is waited for: only its end tells whose time it was.
        turn_s: the same for each turn; None for no limit of its own.
        on_turn: told each turn, before the next model call.
    """

    agent: AssistantAgent
    client: "EpisodeClient"
    workbench: TaskWorkbench
    condition: TerminationCondition
    limit_s: float
    on_turn: Callable[[TurnLine], None]
    tally: Tally = field(default_factory=Tally)
    turn_s: float | None = None

    async def run(self, prompt: str) -> Termination:
        """Drives the agent turn by turn until a condition says stop.

        Raises:
            InfraFault, ProviderFault: the world or the endpoint ended it.
            BudgetReached: the batch's; the episode stands between two turns.
        """
        messages = [TextMessage(content=prompt, source="user")]
        limits = [self._limit(self.limit_s)]
        try:
            async with limits[0]:
                while True:
                    delta = await self._limited(messages, limits)
                    stop = await self.condition(delta)
                    if stop is not None:
                        # AutoGen joins the reasons of all that fired, in the policy's order.
                        return Termination(stop.content.partition(", ")[0])
                    said_text = isinstance(delta[-1], TextMessage)
                    messages = [TextMessage(content=self._nudge(), source="user")] * said_text
        except ContextOverflow:
            return Termination.CONTEXT_OVERFLOW
        except BudgetReached as reached:
            if reached.scope is not Scope.EPISODE:
                raise
            return _BUDGETS[reached.measure]
        except TimeoutError:
            if not any(limit.expired() for limit in limits):
                raise
            return Termination.TIMEOUT

    def _limit(self, limit_s: float) -> WorkingLimit:
        client = self.client
        return WorkingLimit(limit_s, lambda: client.throttled_s, lambda: client.is_under_way)

    async def _limited(self, messages: list[TextMessage], limits: list[WorkingLimit]) -> Delta:
        """One turn, within the limit of the loop and its own, which takes the second place."""
        if self.turn_s is None:
            self.client.after_call = limits[0].look
            return await self._turn(messages)
        limits[1:] = [own := self._limit(self.turn_s)]

        def look() -> None:
            for limit in limits:
                limit.look()

        self.client.after_call = look
        async with own:
            return await self._turn(messages)

    def _nudge(self) -> str:
        """What the model is told after a message without a call; a call it wrote as text is not
        passed over."""
        lost = (s for s in self.tally.records[-1].repair_steps if s.kind is RepairKind.CALL_LOST)
        step = next(lost, None)
        return CALL_AS_TEXT.format(why=step.why) if step else NUDGE

    async def _turn(self, messages: list[TextMessage]) -> Delta:
        """One turn; what came of it is recorded even if it is cut short."""
        began_s, first = time.monotonic(), len(self.workbench.calls)
        delta: Delta = []
        try:
            async for event in self.agent.on_messages_stream(messages, CancellationToken()):
                delta.append(event.chat_message if isinstance(event, Response) else event)
        finally:
            await self.workbench.end_calls()
            records = self.client.take_records()
            calls = _calls(delta, self.workbench.calls[first:])
            self.tally.records += records
            self.tally.tools_s += sum(call.duration_s for call in calls)
            if records and records[-1].accepted:
                self.tally.turns += 1
                spent_s = round(time.monotonic() - began_s, 3)
                self.on_turn(_line(self.tally.turns, records[-1], calls, spent_s))
        if self.workbench.failure is not None:
            raise self.workbench.failure
        return delta


def _calls(delta: Delta, ran: Sequence[Call]) -> list[Call]:
    """The calls a turn asked for, also what AutoGen answers itself (no such tool) or never ran."""
    by_id = {call.id: call for call in ran}
    answered = {
        result.call_id: result.content
        for event in delta
        if isinstance(event, ToolCallExecutionEvent)
        for result in event.content
    }
    asked = [c for event in delta if isinstance(event, ToolCallRequestEvent) for c in event.content]
    return [
        by_id.get(call.id)
        or Call(
            call.id,
            call.name,
            json.loads(call.arguments),
            Answer(answered.get(call.id, "the call was not run"), is_error=True),
            duration_s=0.0,
        )
        for call in asked
    ]


def _line(turn: int, record: "CallRecord", calls: list[Call], spent_s: float) -> TurnLine:
    attempts = tuple(
        AttemptLine(status=a.status, error=a.error, duration_s=a.duration_s, waited_s=a.waited_s)
        for a in record.attempts
    )
    return TurnLine(
        turn=turn,
        content=record.content,
        reasoning=record.reasoning,
        finish_reason=record.finish_reason,
        usage=TurnUsage(
            prompt_tokens=record.usage.prompt_tokens,
            completion_tokens=record.usage.completion_tokens,
            cached_tokens=record.usage.cached_tokens,
            reasoning_tokens=record.usage.reasoning_tokens,
        ),
        lowered_max_tokens=record.lowered_max_tokens,
        attempts=attempts,
        repairs={str(kind): count for kind, count in record.repairs.items()},
        calls=tuple(_call_line(call) for call in calls),
        duration_s=spent_s,
        repair_steps=tuple(
            RepairLine(kind=step.kind, tool=step.tool, before=step.before, why=step.why)
            for step in record.repair_steps
        ),
    )


def _call_line(call: Call) -> CallLine:
    return CallLine(
        id=call.id,
        tool=call.tool,
        arguments=dict(call.arguments),
        is_error=call.answer.is_error,
        text=call.answer.text,
        handle=call.answer.handle,
        exit_code=call.answer.exit_code,
        duration_s=call.duration_s,
    )
