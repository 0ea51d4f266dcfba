"""A request that was sent, on its way to a record."""

import time
from dataclasses import dataclass

from agent_runner.errors import ProviderFault
from agent_runner.provider.failure import may_be_billed
from agent_runner.provider.records import Attempt
from agent_runner.provider.reply import Reply, UnusableReply


@dataclass(frozen=True)
class Sent:
    """One request, when it was sent and how long it had waited before."""

    began: float
    waited_s: float

    def answered(self, reply: Reply) -> Attempt:
        """It brought the reply."""
        attempt = self.ended(200, None)
        return attempt.model_copy(
            update={"invocation_id": reply.invocation_id, "usage": reply.usage}
        )

    def failed(self, fault: ProviderFault) -> Attempt:
        """It brought a fault."""
        usage = fault.usage if isinstance(fault, UnusableReply) else None
        counted = usage is not None and None not in (usage.prompt_tokens, usage.completion_tokens)
        uncounted = may_be_billed(fault) or (isinstance(fault, UnusableReply) and not counted)
        attempt = self.ended(fault.status, fault.message, uncounted=uncounted)
        return attempt.model_copy(update={"invocation_id": fault.invocation_id, "usage": usage})

    def ended(self, status: int | None, error: str | None, *, uncounted: bool = False) -> Attempt:
        """It is over now."""
        return Attempt(
            status=status,
            error=error,
            duration_s=round(time.monotonic() - self.began, 3),
            waited_s=round(self.waited_s, 3),
            uncounted=uncounted,
        )
