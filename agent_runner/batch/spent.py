"""What a batch has used so far, in this process and in earlier ones."""

from collections.abc import Iterable

from agent_runner.batch.entry import Entry
from agent_runner.provider.spending.spend import Spend


def spent_by(entries: Iterable[Entry]) -> Spend:
    """What episodes and tries together used, as far as it was counted."""
    spent = Spend()
    for entry in entries:
        usage, retried = entry.usage, entry.usage.retried
        tokens = (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
        tokens += retried.prompt_tokens + retried.completion_tokens
        spent += Spend(tokens, usage.cost_usd or 0.0)
    return spent
