"""How many requests may be under way to one endpoint, and when all of them pause."""

from pydantic import BaseModel, ConfigDict, Field


class TrafficPolicy(BaseModel):
    """The knobs of a `Gate`.

    The number of requests in flight grows by one per round trip while every slot is in use, and
    shrinks to `decrease` of itself when the endpoint says it is overloaded (429, 503, 529), at
    most once for what was sent before the last decrease.

    Attributes:
        start_in_flight: requests in flight before the endpoint has said anything.
        most_in_flight: the number is never above it, nor above the profile's `max_in_flight`.
        decrease: what is left of it after an overload.
        spread_s: callers that a pause held up come back spread over so many seconds.
        breaker_failures: so many failures in a row, over all episodes, pause the endpoint.
        breaker_wait_s: seconds until one request may try again; doubled each time it fails.
        breaker_max_wait_s: upper end of that wait.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start_in_flight: int = Field(default=256, ge=1)
    most_in_flight: int = Field(default=512, ge=1)
    decrease: float = Field(default=0.7, gt=0, lt=1)
    spread_s: float = Field(default=1.0, ge=0)
    breaker_failures: int = Field(default=10, ge=1)
    breaker_wait_s: float = Field(default=5.0, gt=0)
    breaker_max_wait_s: float = Field(default=60.0, gt=0)
