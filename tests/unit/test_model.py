"""Which model a run talks to: what is wrong with it is told before anything starts."""

import pytest

from agent_runner.config import RunConfig
from agent_runner.errors import UsageError
from agent_runner.model import choose

LIMITED = {"limits": {"cost_usd": 1.0}}


def test_a_limit_of_cost_needs_a_price() -> None:
    unpriced = {**LIMITED, "model": "nobody/knows-it", "base_url": "http://127.0.0.1:9/v1"}
    with pytest.raises(UsageError, match=r"limits\.cost_usd: the price of nobody/knows-it"):
        choose(RunConfig.model_validate(unpriced), {})
    priced = RunConfig.model_validate({**LIMITED, "model": "kimi"})
    assert choose(priced, {"CHUTES_API_KEY": "k"}).profile.prices is not None
