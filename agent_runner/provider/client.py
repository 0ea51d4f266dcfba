"""The model client of a process: one endpoint, one gate, and a client for each episode."""

from collections.abc import Callable, Collection
from types import TracebackType
from typing import Self

from agent_runner.provider.call import Way
from agent_runner.provider.endpoint import Endpoint
from agent_runner.provider.episode_client import EpisodeClient
from agent_runner.provider.exchange import Source
from agent_runner.provider.profile import ResolvedModel
from agent_runner.provider.recording.recorder import Recorder
from agent_runner.provider.retries import RetryPolicy
from agent_runner.provider.spending.allowance import Allowance
from agent_runner.provider.spending.budget import Budget
from agent_runner.provider.traffic.gate import Gate
from agent_runner.provider.traffic.gates import gate_of
from agent_runner.provider.traffic.policy import TrafficPolicy

_UNBROKEN = TrafficPolicy(breaker_failures=1_000_000)


class ModelClient:
    """The clients of all episodes that share one model, one endpoint and one key.

    Make it in a running loop. All clients of a process with the same endpoint and key share one
    gate: see `gate_of`.

    Args:
        source: answers instead of the endpoint, as a recording does; no gate keeps it waiting.

    Attributes:
        gate: what every request passes; it says what the endpoint's state is.
    """

    def __init__(
        self,
        resolved: ResolvedModel,
        retries: RetryPolicy | None = None,
        source: Source | None = None,
        *,
        traffic: TrafficPolicy | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._profile = resolved.profile
        self._endpoint = Endpoint(resolved, source)
        self._retries = retries or RetryPolicy()
        self._budget = budget
        self.gate = gate_of(resolved, traffic) if source is None else Gate("recording", _UNBROKEN)

    def for_episode(
        self,
        recorder: Recorder | None = None,
        closable: Collection[str] = (),
        *,
        budget: Budget | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> "EpisodeClient":
        """Return the client one agent gets; its records are its own, and so is `recorder`.

        Args:
            closable: names of the tools whose arguments may be closed where they were cut off.
            budget: the episode's own; that of the `ModelClient` holds beside it.
            tell: told in one line what a call waits for, once that takes longer than two seconds.
        """
        way = Way(self._profile.model, self.gate, self._retries, tell or _silent)
        allowance = Allowance(self._profile, budget, self._budget)
        return EpisodeClient(self._profile, self._endpoint, way, allowance, recorder, closable)

    async def close(self) -> None:
        """Close the connections; the clients of the episodes are of no use any more."""
        await self._endpoint.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _silent(text: str) -> None:
    """Tell nobody."""
