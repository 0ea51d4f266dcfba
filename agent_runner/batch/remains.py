"""What is known of an episode whose process was killed: its turns, and what they cost."""

import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from agent_runner.batch.order import Order
from agent_runner.draft import Draft
from agent_runner.provider.profile import Prices
from agent_runner.provider.records import Usage as Counted
from agent_runner.result import Result, Status, Usage
from agent_runner.run_dir import RunDir
from agent_runner.stages import Stages
from agent_runner.trajectory import TurnLine


def remains_of(order: Order, prices: Prices | None) -> Result:
    """The result of an episode that wrote none: `interrupted`, with the turns it had finished.

    A reply that was lost with the process may have been billed, and is in no count.
    """
    draft = Draft(order.task, order.config, Stages(time.monotonic()))
    draft.status = Status.INTERRUPTED
    counted = []
    for line in _turns(RunDir(Path(order.directory)).trajectory):
        draft.turn(line)
        counted.append(
            Counted(
                prompt_tokens=line.usage.prompt_tokens,
                completion_tokens=line.usage.completion_tokens,
                cached_tokens=line.usage.cached_tokens,
            )
        )
    costs = [prices.cost_usd(usage) for usage in counted] if prices else [None]
    known = [cost for cost in costs if cost is not None]
    draft.usage = Usage(
        prompt_tokens=sum(usage.prompt_tokens or 0 for usage in counted),
        completion_tokens=sum(usage.completion_tokens or 0 for usage in counted),
        cached_tokens=sum(usage.cached_tokens or 0 for usage in counted),
        calls=len(counted),
        cost_usd=sum(known) if len(known) == len(costs) else None,
    )
    return draft.result()


def _turns(trajectory: Path) -> Iterator[TurnLine]:
    """The turns that were written whole."""
    if not trajectory.exists():
        return
    for text in trajectory.read_bytes().split(b"\n")[:-1]:
        try:
            yield TurnLine.model_validate_json(text)
        except ValidationError:
            continue  # the first line, the last one, or what nobody can read
