"""Retries of one model call: which fault, how long, how often; and the record it leaves."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from pydantic import BaseModel, ConfigDict, Field
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_before_delay,
    wait_random_exponential,
)

from agent_runner.errors import ProviderFault
from agent_runner.provider.faults import AnswerFault, ContextOverflow
from agent_runner.provider.records import Attempt, CallRecord, Usage
from agent_runner.provider.reply import Reply, UnusableReply


class RetryPolicy(BaseModel):
    """How long one model call is tried.

    The wait before attempt n+1 is drawn evenly from 0 to `base_wait_s` * 2^(n-1), at most
    `max_wait_s` ("full jitter"). A wait that the endpoint asks for by `Retry-After` is added.

    Attributes:
        attempts: requests for one call, the first one included.
        unusable_attempts: how many of them may be answered by a useless 200, which costs money.
        patience_s: no attempt begins later than this after the first.
        base_wait_s: upper end of the first wait.
        max_wait_s: upper end of any wait the endpoint did not ask for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: int = Field(default=20, ge=1)
    unusable_attempts: int = Field(default=5, ge=1)
    patience_s: float = Field(default=900.0, ge=0)
    base_wait_s: float = Field(default=1.0, ge=0)
    max_wait_s: float = Field(default=60.0, ge=0)


class ModelCall:
    """One model call, tried until it succeeds, is refused, or patience ends."""

    def __init__(self, send: Callable[[], Awaitable[Reply]], policy: RetryPolicy) -> None:
        self._send = send
        self._policy = policy
        self._attempts: list[Attempt] = []
        self._slept_s = 0.0
        self._asleep_since: float | None = None
        self._unusable = 0
        self._reply: Reply | None = None
        self._began = time.monotonic()
        self._jitter = wait_random_exponential(multiplier=policy.base_wait_s, max=policy.max_wait_s)

    async def run(self) -> Reply:
        """Return the accepted reply.

        Raises:
            ProviderFault: the last fault, when it may not or can no longer be retried.
            ContextOverflow: the prompt does not fit the model.
        """
        self._began = time.monotonic()
        retrying = AsyncRetrying(
            sleep=self._sleep,
            stop=self._gives_up,
            wait=self._wait_s,
            retry=retry_if_exception(_may_be_retried),
            reraise=True,
        )
        reply: Reply = await retrying(self._attempt)
        self._reply = reply
        return reply

    @property
    def throttled_s(self) -> float:
        """Seconds slept between attempts, the sleep under way included."""
        now = time.monotonic()
        return self._slept_s + (now - self._asleep_since if self._asleep_since else 0.0)

    def record(self) -> CallRecord:
        """Return what the call was like up to now, also after a fault or a cancellation."""
        record = CallRecord(
            attempts=tuple(self._attempts),
            accepted=self._reply is not None,
            duration_s=round(time.monotonic() - self._began, 3),
            throttle_wait_s=round(self._slept_s, 3),
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
        began = time.monotonic()
        try:
            reply = await self._send()
        except ProviderFault as fault:
            usage = fault.usage if isinstance(fault, UnusableReply) else None
            self._unusable += isinstance(fault, UnusableReply)
            self._add(began, fault.status, fault.message, fault.invocation_id, usage)
            raise
        except ContextOverflow as overflow:
            self._add(began, overflow.status, overflow.message)
            raise
        except asyncio.CancelledError:
            self._add(began, None, "cancelled")
            raise
        self._add(began, 200, None, reply.invocation_id, reply.usage)
        return reply

    def _add(
        self,
        began: float,
        status: int | None,
        error: str | None,
        invocation_id: str | None = None,
        usage: Usage | None = None,
    ) -> None:
        self._attempts.append(
            Attempt(
                status=status,
                error=error,
                duration_s=round(time.monotonic() - began, 3),
                invocation_id=invocation_id,
                usage=usage,
            )
        )

    async def _sleep(self, seconds: float) -> None:
        self._asleep_since = time.monotonic()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._slept_s += time.monotonic() - self._asleep_since
            self._asleep_since = None

    def _wait_s(self, state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        asked_s = fault.retry_after_s if isinstance(fault, AnswerFault) else None
        # Jitter comes on top: episodes that were sent away together should not return together.
        return self._jitter(state) + (asked_s or 0.0)

    def _gives_up(self, state: RetryCallState) -> bool:
        return (
            self._unusable >= self._policy.unusable_attempts
            or state.attempt_number >= self._policy.attempts
            or stop_before_delay(self._policy.patience_s)(state)
        )


def _may_be_retried(error: BaseException) -> bool:
    return isinstance(error, ProviderFault) and error.retryable
