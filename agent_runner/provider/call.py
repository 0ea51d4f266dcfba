"""One model call: tried through the gate and the budgets until it succeeds; and its record."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    wait_random_exponential,
)

from agent_runner.errors import ProviderFault
from agent_runner.provider.endpoint import ChatRequest
from agent_runner.provider.failure import has_no_instances, may_be_billed
from agent_runner.provider.faults import AnswerFault, ContextOverflow
from agent_runner.provider.records import Attempt, CallRecord, Usage
from agent_runner.provider.reply import Reply, UnusableReply
from agent_runner.provider.retries import RetryPolicy
from agent_runner.provider.sent import Sent
from agent_runner.provider.spending.allowance import CallAllowance
from agent_runner.provider.traffic.gate import Gate
from agent_runner.provider.traffic.line import Pass

TOLD_AFTER_S = 2.0
"""A wait that lasts longer is told."""

Send = Callable[[ChatRequest], Awaitable[Reply]]
_SHOWN_CHARS = 160


@dataclass(frozen=True)
class Way:
    """By which way requests go to their model, the same for all calls of an episode.

    Attributes:
        tell: told in one line what is waited for, once it takes longer than two seconds.
    """

    model: str
    gate: Gate
    policy: RetryPolicy
    tell: Callable[[str], None]


class ModelCall:
    """One model call, tried until it succeeds, is refused, or patience ends.

    The provider is late from the beginning of the call to its end, except for the time of the
    attempt that was answered: while one is under way nobody knows yet whether it will be.
    """

    def __init__(self, send: Send, way: Way, allowance: CallAllowance) -> None:
        self._send = send
        self._way = way
        self._policy = way.policy
        self._allowance = allowance
        self._attempts: list[Attempt] = []
        self._answer_s = 0.0
        self._unusable = 0
        self._no_instances = 0
        self._reply: Reply | None = None
        self._began = self._waits_since = time.monotonic()
        self._ended: float | None = None
        self._failed_since: float | None = None
        self._jitter = wait_random_exponential(
            multiplier=self._policy.base_wait_s, max=self._policy.max_wait_s
        )

    async def run(self) -> Reply:
        """Return the accepted reply.

        Raises:
            ProviderFault: the last fault, when it may not or can no longer be retried.
            ContextOverflow: the prompt does not fit the model.
            BudgetReached: the next attempt may cost more than is left.
        """
        retrying = AsyncRetrying(
            sleep=self._sleep,
            stop=self._gives_up,
            wait=self._wait_s,
            retry=retry_if_exception(_may_be_retried),
            reraise=True,
        )
        try:
            reply: Reply = await retrying(self._attempt)
        finally:
            self._ended = time.monotonic()
        self._reply = reply
        return reply

    @property
    def throttled_s(self) -> float:
        """Seconds for which the provider is late, those of an attempt under way included."""
        return (self._ended or time.monotonic()) - self._began - self._answer_s

    def record(self) -> CallRecord:
        """Return what the call was like up to now, also after a fault or a cancellation."""
        record = CallRecord(
            attempts=tuple(self._attempts),
            accepted=self._reply is not None,
            duration_s=round((self._ended or time.monotonic()) - self._began, 3),
            throttle_wait_s=round(self.throttled_s, 3),
            lowered_max_tokens=self._allowance.lowered_to,
        )
        if self._reply is None:
            return record
        of_reply = {
            "content": self._reply.content,
            "reasoning": self._reply.reasoning,
            "finish_reason": self._reply.finish_reason,
            "model": self._reply.model,
            "invocation_id": self._reply.invocation_id,
            "usage": self._reply.usage,
            "repairs": dict(self._reply.repairs),
            "repair_steps": self._reply.steps,
        }
        return record.model_copy(update=of_reply)

    async def _attempt(self) -> Reply:
        given = await self._turn()
        began = time.monotonic()
        sent = Sent(began, began - self._waits_since)
        try:
            reply = await self._send(self._allowance.request)
        except ProviderFault as fault:
            self._attempts.append(sent.failed(fault))
            self._take_down(fault)
            self._way.gate.failed(given, fault, _asked_s(fault))
            raise
        except ContextOverflow as overflow:
            self._answer_s = time.monotonic() - began
            self._attempts.append(sent.ended(overflow.status, overflow.message))
            self._allowance.release()
            self._way.gate.answered(given)
            raise
        except BaseException as error:
            cancelled = isinstance(error, asyncio.CancelledError)
            word = "cancelled" if cancelled else type(error).__name__
            self._attempts.append(sent.ended(None, word, uncounted=True))
            self._allowance.lost()
            self._way.gate.abandoned(given)
            raise
        self._answer_s = time.monotonic() - began
        self._attempts.append(sent.answered(reply))
        self._allowance.counted(reply.usage)
        self._way.gate.answered(given)
        return reply

    async def _turn(self) -> Pass:
        """Wait for room in the budgets and at the gate."""
        gate = self._way.gate
        with self._telling(lambda: "room in the budget, which other requests hold"):
            await self._allowance.reserve()
        try:
            with self._telling(lambda: f"{gate.host}: {gate.reason()}"):
                return await gate.enter(self._way.model, self._deadline)
        except BaseException:
            self._allowance.release()
            raise

    def _take_down(self, fault: ProviderFault) -> None:
        """Settle what a failure may have cost, and count it."""
        self._waits_since = time.monotonic()
        if self._failed_since is None:
            self._failed_since = self._waits_since
        self._no_instances += has_no_instances(fault)
        if isinstance(fault, UnusableReply):
            self._unusable += 1
            self._allowance.counted(fault.usage or Usage())
        elif may_be_billed(fault):
            self._allowance.lost()
        else:
            self._allowance.release()

    @contextmanager
    def _telling(self, what: Callable[[], str]) -> Iterator[None]:
        """Tell what is waited for, if it takes long."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(TOLD_AFTER_S, lambda: self._way.tell(f"waiting for {what()}"))
        try:
            yield
        finally:
            timer.cancel()

    async def _sleep(self, seconds: float) -> None:
        gate = self._way.gate
        if seconds > TOLD_AFTER_S:
            last = self._attempts[-1].error or ""
            spent_s = time.monotonic() - self._began
            self._way.tell(
                f"waiting for {gate.host}: {last[:_SHOWN_CHARS]}; next try in {seconds:.0f} s"
                f" ({len(self._attempts)} in {spent_s:.0f} s)"
            )
        await gate.refusals.sleep(seconds, self._way.model)

    def _deadline(self, since: float, fault: ProviderFault) -> float:
        """When this call gives up an endpoint that fails since a moment, waiting at the gate."""
        began = max(self._began, since) if self._failed_since is None else self._failed_since
        return began + self._policy.patience_for_s(fault)

    def _wait_s(self, state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        # Jitter comes on top: episodes that were sent away together should not return together.
        return self._jitter(state) + (_asked_s(fault) or 0.0)

    def _gives_up(self, state: RetryCallState) -> bool:
        fault = state.outcome.exception() if state.outcome else None
        patience_s = self._policy.patience_for_s(
            fault if isinstance(fault, ProviderFault) else None
        )
        next_at = time.monotonic() + state.upcoming_sleep
        return (
            self._unusable >= self._policy.unusable_attempts
            or len(self._attempts) - self._no_instances >= self._policy.attempts
            or next_at - (self._failed_since or next_at) >= patience_s
        )


def _asked_s(fault: BaseException | None) -> float | None:
    return fault.retry_after_s if isinstance(fault, AnswerFault) else None


def _may_be_retried(error: BaseException) -> bool:
    return isinstance(error, ProviderFault) and error.retryable
