"""`doctor`: one line for each thing a run needs, with what to do where it is missing."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from agent_runner.config import RunConfig
from agent_runner.environments.python import FALLBACK
from agent_runner.errors import InfraFault, UsageError
from agent_runner.places import home, root
from agent_runner.provider.catalog import ModelCatalog
from agent_runner.provider.profile import ModelProfile, with_key
from tools.workspace.engine import Engine
from tools.workspace.layers.base_image import REPOSITORY, find_base

GB = 1_000_000_000
ENOUGH_GB = 5
ENDPOINT_LIMIT_S = 10.0
PROVIDER_LIMIT_S = 600.0


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    Attributes:
        needed: whether a run cannot do without it; a missing key only bars live models.
    """

    name: str
    ok: bool
    says: str
    needed: bool = True


@click.command()
@click.option("--model", metavar="NAME", help="The model to look for. [kimi]")
@click.option("--base-url", metavar="URL", help="Another endpoint.")
@click.option("--provider", is_flag=True, help="Ask the endpoint itself; some 15,000 tokens.")
@click.option(
    "--limit", "limit_s", type=click.FloatRange(min=0, min_open=True), default=PROVIDER_LIMIT_S,
    metavar="SECONDS", help="With --provider: when to give up. [600]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    model: str | None, base_url: str | None, provider: bool, limit_s: float, as_json: bool
) -> None:
    """Checks engine, disk, image, key and endpoint. Exit code 1 where one fails.

    With --provider it asks the model's endpoint what it can do: its list of models, a tool call, a
    call with an argument of 20 kB, its counts of tokens, its reasoning, the parameters it takes.
    The answers are kept below AGENT_RUNNER_HOME, and runs use them where configs/models.yaml says
    nothing.
    """
    profile = ModelCatalog.load(root() / "configs" / "models.yaml").pick(model, base_url)
    if provider:
        resolved = with_key(profile, os.environ)
        from agent_runner.commands.doctor_provider import look

        if not look(resolved, limit_s, as_json=as_json):
            raise click.exceptions.Exit(1)
        return
    checks = asyncio.run(_all(profile))
    if as_json:
        click.echo(json.dumps({"checks": [asdict(check) for check in checks]}))
    else:
        for check in checks:
            mark = "ok  " if check.ok else ("FAIL" if check.needed else "note")
            click.echo(f"{mark}  {check.name:<9} {check.says}")
    if any(check.needed and not check.ok for check in checks):
        raise click.exceptions.Exit(1)


async def _all(profile: ModelProfile) -> list[Check]:
    checks = [check async for check in _engine()]
    checks.append(_state())
    checks.append(_key(profile))
    checks.append(await _endpoint(profile))
    return checks


async def _engine() -> AsyncIterator[Check]:
    try:
        async with Engine() as engine:
            facts = await engine.facts()
            memory_gb = facts.memory_bytes // GB
            says = f"Docker {facts.version}, {facts.storage}, {facts.cpus} cpus, {memory_gb} GB"
            yield Check("engine", True, says)
            yield _disk("disk", facts.root)
            python = RunConfig().images.python or FALLBACK
            base = await find_base(engine, python)
            if base is None:
                says = "no base image yet: the first run makes it, or `images build`"
                yield Check("image", True, says)
            else:
                yield Check("image", True, f"{REPOSITORY}:py{base.python}")
    except InfraFault as fault:
        yield Check("engine", False, fault.message)


def _disk(name: str, path: Path) -> Check:
    if not path.exists():
        return Check(name, True, f"{path} is on another machine; not looked at")
    free_gb = shutil.disk_usage(path).free / GB
    says = f"{free_gb:.0f} GB free at {path}"
    if free_gb < ENOUGH_GB:
        says += f"; at least {ENOUGH_GB} GB are wanted: `docker image prune` may make room"
    return Check(name, free_gb >= ENOUGH_GB, says)


def _state() -> Check:
    place = home()
    try:
        place.mkdir(parents=True, exist_ok=True)
        probe = place / f".doctor-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Check("state", False, f"cannot write to {place}: {error.strerror}")
    return Check("state", True, f"{place} (AGENT_RUNNER_HOME)")


def _key(profile: ModelProfile) -> Check:
    try:
        with_key(profile, os.environ)
    except UsageError as error:
        return Check("key", False, f"{error}; the demo needs none", needed=False)
    return Check("key", True, f"for {profile.base_url}")


async def _endpoint(profile: ModelProfile) -> Check:
    """Whether the endpoint lists the model; the list needs no key."""
    import aiohttp

    url = f"{profile.base_url.rstrip('/')}/models"
    timeout = aiohttp.ClientTimeout(total=ENDPOINT_LIMIT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url) as response,
        ):
            listed = await response.json(content_type=None)
        names = {row["id"] for row in listed["data"]}
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
        says = f"{url} gives no list of models ({type(error).__name__}); the demo needs none"
        return Check("endpoint", False, says, needed=False)
    if profile.model in names:
        return Check("endpoint", True, f"{profile.base_url} serves {profile.model}")
    says = f"{profile.base_url} does not list {profile.model}; see configs/models.yaml"
    return Check("endpoint", False, says, needed=False)
