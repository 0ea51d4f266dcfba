"""`doctor --provider`: asks an endpoint what it can do, and keeps the answers for runs."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from agent_runner.errors import UsageError
from agent_runner.observer import Observer
from agent_runner.places import home
from agent_runner.provider.capability import Completed, complete, save
from agent_runner.provider.probe.finding import Finding
from agent_runner.provider.probe.probe import Probe
from agent_runner.provider.profile import ResolvedModel

# What the lines at the end tell of, in this order.
_SHOWN = ("context_tokens", "max_tokens", "max_tokens_as", "omit", "reasoning", "prices")


def look(resolved: ResolvedModel, limit_s: float, *, as_json: bool) -> bool:
    """Ask, print what came of it, keep it; return whether every check that runs need is fine.

    Raises:
        UsageError: what was found out contradicts models.yaml, or cannot be written.
    """
    profile = resolved.profile
    observer = Observer()
    observer.say(f"asking {profile.base_url} about {profile.model}: some 15,000 tokens")
    probe = Probe(resolved, lambda what: observer.waiting(f"asking: {what}"))
    asyncio.run(probe.run(limit_s))
    if not as_json:
        click.echo("\n".join(_table(probe.findings)))
    fine = all(finding.ok for finding in probe.findings if finding.needed)
    # A look that found no model to speak to says nothing about it.
    answered = any(finding.name == "parameters" for finding in probe.findings)
    written = _written(probe) if answered else None
    completed = complete(home(), profile)
    if as_json:
        click.echo(json.dumps(_tree(probe, written, completed)))
    elif written is not None:
        click.echo(f"written: {written}")
        click.echo("\n".join(_used(completed, probe)))
    return fine


def _written(probe: Probe) -> Path:
    try:
        return save(home(), probe.resolved.profile, probe.capability())
    except OSError as error:
        raise UsageError(f"cannot write below {home()}: {error.strerror}") from error


def _table(findings: Sequence[Finding]) -> list[str]:
    total = sum(finding.cost_usd or 0 for finding in findings)
    unknown = any(sum(f.tokens) and f.cost_usd is None for f in findings)
    lines = [_line(finding) for finding in findings]
    tokens = [sum(finding.tokens[place] for finding in findings) for place in (0, 1)]
    cost = "cost unknown" if unknown else f"${total:.4f}"
    return [*lines, f"in all {tokens[0]}+{tokens[1]} tokens, {cost}"]


def _line(finding: Finding) -> str:
    mark = "ok  " if finding.ok else ("FAIL" if finding.needed else "note")
    line = f"{mark}  {finding.name:<10}  {finding.says}"
    if finding.duration_s:
        line += f"  [{finding.duration_s:.1f} s"
        if sum(finding.tokens):
            line += f", {finding.tokens[0]}+{finding.tokens[1]} tokens"
            line += "" if finding.cost_usd is None else f", ${finding.cost_usd:.4f}"
        line += "]"
    return line


def _used(completed: Completed, probe: Probe) -> list[str]:
    """What runs use now, and where each value comes from."""
    dumped = completed.profile.model_dump(mode="json")
    given = probe.resolved.profile.model_fields_set
    found = probe.capability().model_dump(mode="json")
    lines = ["runs use:"]
    for name in _SHOWN:
        source = "models.yaml" if name in given else "default"
        if name in completed.learned:
            source = "found out"
        elif name in given and found.get(name) not in (None, [], dumped[name]):
            source += f"; the endpoint says {_text(found[name])}"
        lines.append(f"  {name:<14} {_text(dumped[name])}  ({source})")
    return lines


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {each}" for key, each in value.items() if each is not None)
    if isinstance(value, list):
        return ", ".join(str(each) for each in value) or "nothing"
    return "unknown" if value is None else str(value)


def _tree(probe: Probe, written: Path | None, completed: Completed) -> dict[str, object]:
    return {
        "checks": [asdict(finding) for finding in probe.findings],
        "capability": probe.capability().model_dump(mode="json"),
        "written": str(written) if written else None,
        "profile": completed.profile.model_dump(mode="json"),
        "learned": list(completed.learned),
    }
