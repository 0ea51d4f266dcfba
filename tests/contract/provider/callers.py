"""Tasks that wait at one gate."""

import asyncio
import math
import time
from collections.abc import Callable

from agent_runner.errors import ProviderFault, ProviderKind
from agent_runner.provider.faults import AnswerFault
from agent_runner.provider.traffic.gate import Gate
from agent_runner.provider.traffic.line import Pass
from agent_runner.provider.traffic.policy import TrafficPolicy

SOON = TrafficPolicy(breaker_failures=3, breaker_wait_s=0.06, breaker_max_wait_s=0.2, spread_s=0.1)
NO_INSTANCES = AnswerFault(
    ProviderKind.UNAVAILABLE, "503: No instances available (yet)", retryable=True, status=503
)
OVERLOAD = AnswerFault(ProviderKind.UNAVAILABLE, "429 at capacity", retryable=True, status=429)
BAD_KEY = AnswerFault(ProviderKind.AUTH, "401 bad key", status=401)
NO_MODEL = AnswerFault(ProviderKind.MODEL, "404 model not found", status=404)


def patient(since: float, fault: ProviderFault) -> float:
    return math.inf


def patient_for(seconds: float) -> Callable[[float, ProviderFault], float]:
    return lambda since, fault: since + seconds


async def settled() -> None:
    """Let everybody run who can."""
    for _ in range(5):
        await asyncio.sleep(0)


def narrow(slots: int, policy: TrafficPolicy = SOON) -> Gate:
    gate = Gate("host", policy)
    gate.bound(slots, None)
    return gate


class Callers:
    """Tasks that wait at a gate, and the order in which they came in."""

    def __init__(self, gate: Gate, deadline: Callable[[float, ProviderFault], float] = patient):
        self.gate = gate
        self.deadline = deadline
        self.passes: list[Pass] = []
        self.order: list[int] = []
        self.times: list[float] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.came = asyncio.Event()

    async def come(self, count: int, model: str = "m") -> None:
        for _ in range(count):
            self.tasks.append(asyncio.create_task(self._enter(len(self.tasks), model)))
            await settled()

    async def _enter(self, number: int, model: str) -> None:
        self.passes.append(await self.gate.enter(model, self.deadline))
        self.order.append(number)
        self.times.append(time.monotonic())
        self.came.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.passes) < count:
                self.came.clear()
                await self.came.wait()
