"""The end of a batch for people: every rate with its interval and what it is a rate of."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from agent_runner.batch.numbers.group import MISSING, Group
from agent_runner.batch.numbers.outliers import Outlier
from agent_runner.batch.numbers.pass_at import PassAt
from agent_runner.batch.numbers.summary import Summary
from agent_runner.batch.numbers.text import (
    counts_text,
    interval_text,
    rate_text,
    seconds_text,
    tally_text,
)
from agent_runner.result import Status
from agent_runner.stages import WITHIN_AGENT

MOST_GROUPS = 15
LABEL = 12


def show(summary: Summary, stream: IO[str] | None = None) -> None:
    """Writes it, to stderr where nothing else is said."""
    stream = stream or sys.stderr
    stream.write("\n".join(lines(summary)) + "\n")
    stream.flush()


def lines(summary: Summary) -> list[str]:
    """What is shown; a part of which there is nothing to say is left out."""
    parts = (
        ("resolved", _resolved(summary)),
        *((f"pass@{at.k}", [_pass_at(at)]) for at in summary.pass_at if summary.attempts > 1),
        ("suspect", _suspect(summary)),
        ("no verdict", _without_verdict(summary)),
        *((name, _groups(found)) for name, found in summary.groups),
        ("cost", _cost(summary)),
        ("tokens", _tokens(summary)),
        ("turns", _turns(summary)),
        ("time", _time(summary)),
        ("slowest", _slowest(summary.outliers.slowest)),
        ("costliest", _costliest(summary.outliers.most_expensive)),
    )
    return [line for label, texts in parts for line in _labelled(label, texts)]


def _labelled(label: str, texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield f"{label:<{LABEL}}{text}"
        label = ""


def _resolved(summary: Summary) -> list[str]:
    verdicts, rates = summary.verdicts, summary.rates
    said = [f"{rate_text(rates.of_verdicts)} with a verdict"]
    if rates.of_all is not None:
        said.append(f"{rate_text(rates.of_all)} planned")
    if summary.attempts > 1:
        said.append("(attempts at one task are not independent: quote pass@1 and its interval)")
    if verdicts.reran:
        said.append(
            f"by the first run alone: {verdicts.first_run_resolved} "
            f"(a lone failure ran again in {verdicts.reran})"
        )
    return said


def _suspect(summary: Summary) -> list[str]:
    found = summary.verdicts
    if not found.suspect_resolved + found.suspect_unresolved:
        return []
    said = [f"{found.suspect_resolved} resolved, {found.suspect_unresolved} unresolved"]
    if found.suspect_resolved:
        said.append(f"without them {rate_text(found.without_suspects.of_verdicts)} with a verdict")
    return [*said, counts_text(found.hints)]


def _without_verdict(summary: Summary) -> list[str]:
    counted = {Status.RESOLVED, Status.UNRESOLVED}
    left = {name: n for name, n in summary.statuses.items() if n and name not in counted}
    if not left:
        return []
    said = [f"{sum(left.values())} of {summary.planned}: {counts_text(left)}"]
    said += [
        f"{fault.episodes} x {fault.status}: {fault.kind} in {fault.stage} "
        f"({', '.join(fault.examples)}{', ...' if fault.episodes > len(fault.examples) else ''})"
        for fault in summary.faults
    ]
    if summary.statuses[MISSING]:
        said.append(f"{summary.statuses[MISSING]} never ran, or not to an end")
    return said


def _groups(found: Sequence[Group]) -> list[str]:
    if len(found) < 2:
        return []
    most = sorted(found, key=lambda group: -group.episodes)[:MOST_GROUPS]
    shown = [group for group in found if group in most]
    names = [_short(group.name) for group in shown]
    width = max(len(name) for name in names)
    said = [
        f"{name:<{width}}  {rate_text(group.rates.of_verdicts)}{_others(group)}"
        for name, group in zip(names, shown, strict=True)
    ]
    left = len(found) - len(shown)
    return [*said, f"and {left} more in summary.json"] if left else said


def _others(group: Group) -> str:
    others = group.episodes - group.rates.of_verdicts.of
    return f", {others} without a verdict" if others else ""


def _short(name: str | None) -> str:
    """A repository by its last two parts: owner and name."""
    return "/".join(name.removesuffix(".git").split("/")[-2:]) if name else "(none)"


def _cost(summary: Summary) -> list[str]:
    cost = summary.usage.cost_usd
    if not summary.usage.episodes:
        return []
    if cost.sum is None:
        return ["unknown: the model's profile has no prices"]
    said = f"${cost.sum:,.2f}"
    if cost.unknown:
        said += f" and what {cost.unknown} of {summary.usage.episodes} episodes cost: unknown"
    each_usd = summary.usage.cost_per_resolved_usd
    if each_usd is not None:
        said += f", ${each_usd:,.2f} per resolved episode"
    return [said, *_thrown_away(summary), *_earlier(summary)]


def _thrown_away(summary: Summary) -> list[str]:
    used = summary.usage
    if not used.retries:
        return []
    cost_usd, lost = used.retried.cost_usd, used.retried.uncounted
    said = f"{used.retries:,} requests were sent again"
    if cost_usd.sum:
        said += f", ${cost_usd.sum:,.2f} of it"
    return [f"{said}; {lost:,} of them may be billed and are in no sum" if lost else said]


def _earlier(summary: Summary) -> list[str]:
    earlier = summary.tries.begun - (summary.planned - summary.statuses[MISSING])
    return [f"not in it: {earlier} earlier tries that were begun again"] if earlier else []


def _tokens(summary: Summary) -> list[str]:
    prompt, cached = summary.usage.prompt_tokens, summary.usage.cached_tokens
    if not summary.usage.episodes:
        return []
    said = f"{tally_text(prompt)} prompt"
    if prompt.sum and cached.sum is not None and not prompt.unknown + cached.unknown:
        said += f" ({cached.sum / prompt.sum:.0%} cached)"
    said += f", {tally_text(summary.usage.completion_tokens)} completion"
    reasoning = summary.usage.reasoning_tokens
    return [f"{said} ({tally_text(reasoning)} reasoning)" if reasoning.sum else said]


def _turns(summary: Summary) -> list[str]:
    found = summary.turns
    if found.turns.sum is None:
        return []
    said = [
        f"{found.turns.sum:,} in all, p50 {found.turns.p50:g}, p90 {found.turns.p90:g} an episode"
    ]
    kinds = {
        "failed calls": found.failed,
        "refused patches": found.refused_patches,
        "repeated calls": found.repeated,
        "texts": found.texts,
        **{f"repair {name}": count for name, count in found.repairs.items()},
    }
    for counts in (found.calls, kinds):
        each = [f"{name} {count.per_100_turns:g}" for name, count in counts.items() if count.count]
        if each:
            said.append(f"per 100: {', '.join(each)}")
    return said


def _time(summary: Summary) -> list[str]:
    times = summary.times
    said = [f"{seconds_text(times.busy_s)} with episodes running"]
    if times.episodes_per_hour is not None:
        said[0] += f", {times.episodes_per_hour:,.0f} episodes"
        said[0] += f" and {times.turns_per_hour:,.0f} turns an hour"
    stages = {
        f"  {name}" if name in WITHIN_AGENT else name: each for name, each in times.stages.items()
    }
    parts = {"episode": times.episode_s, **stages}
    width = max(len(name) for name in parts)
    rows = [
        (name, *(seconds_text(each_s) for each_s in (each.p50, each.p90, each.sum)))
        for name, each in parts.items()
    ]
    head = ("", "p50", "p90", "sum")
    return said + [
        f"{name:<{width}}{p50:>13}{p90:>13}{sum_:>13}" for name, p50, p90, sum_ in (head, *rows)
    ]


def _slowest(found: Iterable[Outlier]) -> list[str]:
    return [f"{seconds_text(one.duration_s):>10}  {one.directory}  {one.status}" for one in found]


def _costliest(found: Iterable[Outlier]) -> list[str]:
    return [f"{f'${one.cost_usd:,.2f}':>10}  {one.directory}  {one.status}" for one in found]


def _pass_at(at: PassAt) -> str:
    tasks = f"{at.tasks} task{'s' if at.tasks != 1 else ''}" + (
        f", {at.left_out} left out" if at.left_out else ""
    )
    if at.estimate is None:
        return f"{at.note}"
    interval = (
        f"({at.note})" if at.low is None or at.high is None else interval_text(at.low, at.high)
    )
    return f"{at.estimate:6.1%}  {interval}  {tasks}"
