"""Many episodes against an endpoint that fails a share of its requests, and the same undisturbed.

The endpoint is the shipped program, in a process of its own. Its script answers a turn only if the
request holds what the turn before brought, and the only tool counts its calls: an episode that lost
or repeated a turn does not come through.
"""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from autogen_agentchat.agents import AssistantAgent
from pydantic import JsonValue

from agent_runner.agent import NAME, Loop
from agent_runner.context import ElidingContext
from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, with_key
from agent_runner.provider.records import Attempt
from agent_runner.provider.retries import RetryPolicy
from agent_runner.provider.traffic.policy import TrafficPolicy
from agent_runner.termination import GaveUp, MaxTurns, Submitted
from agent_runner.testing.counts import Stats
from agent_runner.testing.plan import DRAWN
from agent_runner.trajectory import TurnLine
from tests.bench.process import PYTHON
from tools.tool import Answer, Arguments, Tool
from tools.workbench import TaskWorkbench

RATE = 0.3
SEED = 5
TIMEOUT_S = 4.0
LIMIT_S = 300.0
# Seconds that would be minutes with a real endpoint.
SCALED = RetryPolicy(base_wait_s=0.01, max_wait_s=0.1, patience_s=60)
SCALED_TRAFFIC = TrafficPolicy(spread_s=0.01, breaker_wait_s=0.05, breaker_max_wait_s=0.5)
TIMING: Mapping[str, JsonValue] = {"retry_after_s": 0.02, "drip_s": 0.2}
# A stall lasts as long as the client's patience, and is as rare as in life.
WEIGHTS: Mapping[str, JsonValue] = {
    name: 0.25 if name in {"stall", "stall_body", "drip"} else 1.0 for name in DRAWN
}


class Line(Arguments):
    """What the only tool takes."""

    text: str


@dataclass(frozen=True)
class Ended:
    """What must be the same with and without faults.

    Attributes:
        end: the termination, or the error that came instead.
        calls: each turn's calls with their arguments and what the tool said.
    """

    end: str
    turns: int
    calls: tuple[tuple[str, str, str], ...]


@dataclass
class Storm:
    """What all episodes came to, and what the endpoint says of it."""

    ended: list[Ended] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats)
    wall_s: float = 0.0

    def tokens(self) -> tuple[int, int]:
        """Prompt and completion tokens of all attempts, as far as the records know them."""
        used = [attempt.usage for attempt in self.attempts if attempt.usage is not None]
        return sum(u.prompt_tokens or 0 for u in used), sum(u.completion_tokens or 0 for u in used)


async def storm(directory: Path, episodes: int, turns: int, rate: float, seed: int = SEED) -> Storm:
    """Run all episodes at once, at this rate of faults."""
    found = Storm()
    async with endpoint(directory, turns, plan(rate, seed)) as base_url:
        profile = ModelProfile(
            name="fake", model="fake", base_url=base_url, timeout_s=TIMEOUT_S if rate else LIMIT_S
        )
        async with ModelClient(with_key(profile, {}), SCALED, traffic=SCALED_TRAFFIC) as client:
            began_s = time.monotonic()
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(episode(client, number, turns, found.attempts))
                    for number in range(episodes)
                ]
            found.wall_s = time.monotonic() - began_s
        found.ended = [task.result() for task in tasks]
        found.stats = await stats(base_url)
    return found


async def episode(
    client: ModelClient, number: int | str, turns: int, attempts: list[Attempt]
) -> Ended:
    """Run one; what each of its requests came to is added to `attempts`."""
    noted: list[str] = []
    lines: list[TurnLine] = []

    async def note(given: Line) -> Answer:
        noted.append(given.text)
        return Answer(f"{len(noted)} noted, the last is {given.text}")

    async def ready() -> None:
        """Nothing has to be over before a tool may run."""

    workbench = TaskWorkbench([Tool("note", "Notes a line.", Line, note, limit_s=30)], ready)
    model = client.for_episode()
    agent = AssistantAgent(
        NAME, model, workbench=workbench, system_message="You note lines.",
        model_context=ElidingContext(100_000, 0.8, 0.5), max_tool_iterations=1,
    )  # fmt: skip
    ending = Submitted() | GaveUp(2) | MaxTurns(turns + 5)
    loop = Loop(agent, model, workbench, ending, LIMIT_S, lines.append)
    try:
        end = str(await loop.run(f"Note the lines of episode {number}."))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the episode came to
        end = f"{type(error).__name__}: {error}"
    attempts += [each for record in loop.tally.records for each in record.attempts]
    calls = [call for line in lines for call in line.calls]
    told = tuple((call.tool, json.dumps(dict(call.arguments)), call.text) for call in calls)
    return Ended(end, loop.tally.turns, told)


def plan(rate: float, seed: int, weights: Mapping[str, JsonValue] = WEIGHTS) -> JsonValue:
    """The faults, drawn at this rate."""
    return {"rate": rate, "seed": seed, "faults": {**weights}, "timing": {**TIMING}}


@asynccontextmanager
async def endpoint(directory: Path, turns: int, planned: JsonValue) -> AsyncIterator[str]:
    """Start the endpoint in a process of its own, and yield its base URL."""
    script, faults = directory / "script.json", directory / "faults.json"
    script.write_text(json.dumps(_script(turns)), encoding="utf-8")
    faults.write_text(json.dumps(planned), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        PYTHON, "-m", "agent_runner.testing.endpoint",
        "--script", str(script), "--faults", str(faults),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()


async def stats(base_url: str) -> Stats:
    """Ask the endpoint what it has served."""
    url = base_url.removesuffix("/v1") + "/stats"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return Stats.model_validate_json(await response.read())


def _script(turns: int) -> JsonValue:
    noting: list[JsonValue] = [
        {
            "expect": [f"{turn - 1} noted, the last is line {turn - 1}"] if turn > 1 else [],
            "reply": {
                "content": f"Line {turn}.",
                "calls": [{"tool": "note", "arguments": {"text": f"line {turn}"}}],
            },
        }
        for turn in range(1, turns)
    ]
    last: JsonValue = {
        "expect": [f"{turns - 1} noted, the last is line {turns - 1}"],
        "reply": {"content": "All is noted.\nTERMINATE"},
    }
    return {"model": "fake", "turns": [*noting, last]}
