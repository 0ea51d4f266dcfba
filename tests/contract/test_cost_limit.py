"""32 workers under one limit of money, at an endpoint that refuses and that loses replies."""

from pathlib import Path

from agent_runner.provider.spending.budget import BudgetReached
from tests.bench.provider.spending import LEAST_SHARE, WORKERS, spend

LIMIT_USD = 1.5


async def test_the_bill_is_never_above_the_limit_and_close_to_it(tmp_path: Path) -> None:
    found = await spend(tmp_path, LIMIT_USD)
    assert found.billed_usd <= found.budget.spent.cost_usd <= LIMIT_USD
    assert found.billed_usd >= LEAST_SHARE * LIMIT_USD
    assert found.ends.count(BudgetReached.__name__) == WORKERS
    assert set(found.ends) <= {BudgetReached.__name__, "submitted"}
    assert sum(attempt.uncounted for attempt in found.attempts) > 0
    assert found.stats.billed.prompt > found.stats.told.prompt
    assert found.budget.held.cost_usd == 0
