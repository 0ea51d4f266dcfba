"""How far a batch is, in a few phrases: for the top of the table, and for a line now and then."""

from agent_runner.batch.display.state import VERDICTS, BatchState
from agent_runner.batch.interval import wilson
from agent_runner.result import Status
from agent_runner.screen.figures import about, clock, dollars, tokens


def progress(state: BatchState, now_s: float) -> list[str]:
    """Done, under way and left, and how long it takes."""
    parts = [f"{state.done}/{state.planned} done", f"{len(state.running)} running"]
    if state.waiting:
        parts.append(f"{state.waiting} waiting")
    parts.append(clock(now_s - state.began_s))
    left_s = state.left_s(now_s)
    if left_s is not None:
        parts.append(f"{about(left_s)} left")
    return parts


def rate(state: BatchState) -> list[str]:
    """Resolved of those with a verdict, with its interval; apart from it what has none."""
    resolved, total = state.counts[Status.RESOLVED], sum(state.counts[one] for one in VERDICTS)
    parts = ["no verdict yet"]
    if total:
        ends = wilson(resolved, total)
        share = f"{resolved / total:.0%} ({ends.low * 100:.0f}-{ends.high:.0%} at 95%)"
        parts = [f"resolved {resolved} of {total}: {share}"]
    others = [
        f"{count} {status}"
        for status, count in sorted(state.counts.items())
        if status not in VERDICTS and count
    ]
    return parts + ([f"not counted: {', '.join(others)}"] if others else [])


def spending(state: BatchState) -> list[str]:
    """Dollars and tokens so far, and of the whole batch; what is not known is said."""
    parts = []
    so_far_usd, expected_usd = state.cost_so_far_usd(), state.cost_expected_usd()
    is_known = all(one.cost_usd is not None for one in state.running.values())
    if state.uncosted or not is_known:
        parts.append(f"{dollars(so_far_usd)} and more" if so_far_usd else "cost unknown")
    elif so_far_usd:
        parts.append(f"{dollars(so_far_usd)} so far")
    if expected_usd and is_known:
        parts.append(f"about {dollars(expected_usd)} in all")
    used = state.prompt_tokens + state.completion_tokens
    used += sum(one.tokens or 0 for one in state.running.values())
    if used:
        parts.append(f"{tokens(used)} tokens")
    return parts + [_budget(unit, state) for unit in sorted(state.budgets)]


def _budget(unit: str, state: BatchState) -> str:
    budget = state.budgets[unit]
    share = f"{budget.spent / budget.limit:.0%} of"
    match unit:
        case "usd":
            return f"{share} {dollars(budget.limit)}"
        case "tokens":
            return f"{share} {tokens(int(budget.limit))} tokens"
        case _:
            return f"{share} {clock(budget.limit)}"


def held(state: BatchState, now_s: float) -> str:
    """How the provider holds the batch back; "" where it does not."""
    if state.held is None:
        return ""
    left_s = 0.0 if state.held.until_s is None else state.held.until_s - now_s
    return f"provider: {state.held.text}" + (f", again in {clock(left_s)}" if left_s >= 1 else "")


def heartbeat(state: BatchState, now_s: float) -> str:
    """All of it in one line, and who has been at it longest."""
    parts = progress(state, now_s) + rate(state) + spending(state)
    if state.held is not None:
        parts.append(held(state, now_s))
    if state.stuck:
        parts.append(f"{len(state.stuck)} stuck")
    if state.running:
        one = min(state.running.values(), key=lambda one: one.began_s)
        parts.append(f"longest: {one.name}, turn {one.turn}, {clock(now_s - one.began_s)}")
    return " · ".join(parts)
