"""How long one model call is tried: how often, with which waits, until when."""

from pydantic import BaseModel, ConfigDict, Field

from agent_runner.errors import ProviderFault
from agent_runner.provider.failure import has_no_instances


class RetryPolicy(BaseModel):
    """How long one model call is tried.

    The wait before attempt n+1 is drawn evenly from 0 to `base_wait_s` * 2^(n-1), at most
    `max_wait_s` ("full jitter"). A wait that the endpoint asks for by `Retry-After` is added.

    Attributes:
        attempts: requests for one call, the first one included; those that met no instance do not
            count.
        unusable_attempts: how many of them may be answered by a useless 200, which costs money.
        patience_s: no attempt begins later than this after the first failure.
        no_instances_patience_s: the same, while the endpoint has no instance of the model (Chutes'
            503; the request itself makes it look for one, which takes minutes).
        base_wait_s: upper end of the first wait.
        max_wait_s: upper end of any wait the endpoint did not ask for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: int = Field(default=20, ge=1)
    unusable_attempts: int = Field(default=5, ge=1)
    patience_s: float = Field(default=900.0, ge=0)
    no_instances_patience_s: float = Field(default=1200.0, ge=0)
    base_wait_s: float = Field(default=1.0, ge=0)
    max_wait_s: float = Field(default=60.0, ge=0)

    def patience_for_s(self, fault: ProviderFault | None) -> float:
        """Return the patience with an endpoint whose last failure was `fault`."""
        return self.no_instances_patience_s if has_no_instances(fault) else self.patience_s
