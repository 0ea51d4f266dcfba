"""Many workers under one limit of money: what the endpoint bills, and how much of it is used.

The endpoint refuses a part of the requests, and of some the reply is lost on its way and billed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, Prices, with_key
from agent_runner.provider.records import Attempt, Usage
from agent_runner.provider.spending.budget import Budget, BudgetReached, Scope
from agent_runner.testing.counts import Stats
from tests.bench.provider.storm import SCALED, endpoint, episode, plan, stats
from tests.bench.row import Count
from tests.bench.setting import Setting

WORKERS = 32
TURNS = 12
LIMIT_USD = 3.0
LEAST_SHARE = 0.9
RATE = 0.15
SEED = 7
TIMEOUT_S = 4.0
MAX_TOKENS = 2_048
TASK_CHARS = 40_000
PRICES = Prices(prompt=0.50, completion=2.85)
# A fifth of what fails is lost on its way, 3 % of all requests; the rest is refused.
LOST = ("closed", "reset", "lost", "reset_body", "json_cut", "length_short")
REFUSED = ("429", "429_seconds", "429_date", "500", "502", "503", "529")
WEIGHTS: Mapping[str, JsonValue] = {
    **dict.fromkeys(REFUSED, 0.8 / len(REFUSED)),
    **dict.fromkeys(LOST, 0.2 / len(LOST)),
}


@dataclass
class Spending:
    """What was spent, by our account and by the endpoint's."""

    budget: Budget
    attempts: list[Attempt] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats)
    ends: list[str] = field(default_factory=list)

    @property
    def billed_usd(self) -> float:
        """The endpoint's bill."""
        billed = self.stats.billed
        usage = Usage(
            prompt_tokens=billed.prompt,
            completion_tokens=billed.completion,
            cached_tokens=billed.cached,
        )
        return PRICES.cost_usd(usage) or 0.0


async def spend(directory: Path, limit_usd: float = LIMIT_USD) -> Spending:
    """Let the workers begin one episode after another until the budget is reached."""
    found = Spending(Budget(Scope.BATCH, None, limit_usd))
    async with endpoint(directory, TURNS, plan(RATE, SEED, WEIGHTS)) as base_url:
        profile = ModelProfile(
            name="fake", model="fake", base_url=base_url, timeout_s=TIMEOUT_S,
            max_tokens=MAX_TOKENS, prices=PRICES,
        )  # fmt: skip
        async with (
            ModelClient(with_key(profile, {}), SCALED, budget=found.budget) as client,
            asyncio.TaskGroup() as group,
        ):
            for number in range(WORKERS):
                group.create_task(_work(client, number, found))
        found.stats = await stats(base_url)
    return found


async def _work(client: ModelClient, number: int, found: Spending) -> None:
    while True:
        told = f"{number}: {'x' * TASK_CHARS}"
        ended = await episode(client, told, TURNS, found.attempts)
        found.ends.append(ended.end.partition(":")[0])
        if found.ends[-1] != "submitted":
            return
        number += WORKERS


async def measure(setting: Setting) -> list[Count]:
    """Spend it."""
    found = await spend(setting.scratch)
    share = found.billed_usd / LIMIT_USD
    lost = sum(attempt.uncounted for attempt in found.attempts)
    what = f"{WORKERS} workers under one cost limit, replies lost on the way"
    paused = found.ends.count(BudgetReached.__name__)
    return [
        Count(
            what=f"{what}: billed, of the limit",
            unit="x",
            measured=round(share, 4),
            at_most=1,
            at_least=LEAST_SHARE,
            beside={
                "spent by our account": round(found.budget.spent.cost_usd / LIMIT_USD, 4),
                "requests": found.stats.requests,
                "lost": lost,
            },
        ),
        Count(what="workers that paused at a turn", unit="", measured=paused, at_least=WORKERS),
    ]
