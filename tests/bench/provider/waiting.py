"""Many episodes that wait for a model at once, in one process: wall time and memory.

`python -m tests.bench.provider.waiting URL EPISODES TURNS` is the process measured; it prints
seconds and peak bytes.
"""

import asyncio
import resource
import sys
import time

from autogen_agentchat.agents import AssistantAgent
from pydantic import BaseModel, ConfigDict

from agent_runner.agent import NAME, Loop
from agent_runner.context import ElidingContext
from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, with_key
from agent_runner.result import Termination
from agent_runner.termination import MaxTurns
from agent_runner.trajectory import TurnLine
from tests.bench.process import PYTHON, NotMeasured, shown, started
from tests.bench.provider.server import serving
from tests.bench.row import Count
from tests.bench.setting import Setting
from tools.tool import Answer, Arguments, Tool
from tools.workbench import TaskWorkbench

LATENCY_S = 2.0
TURNS = 5
MANY, FEW = 200, 20
LIMIT_S = 120.0
RESULT_CHARS = 8_000
MOST_OF_IDEAL = 1.15
MOST_MB = 1.0
MB = 1024 * 1024


class Spent(BaseModel):
    """What the process used: its seconds from the first request, its highest resident set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wall_s: float
    peak_bytes: int


class Path(Arguments):
    """What the only tool takes."""

    path: str = ""


async def measure(setting: Setting) -> list[Count]:
    """The same turns by many and by few, each in a process of its own."""
    async with serving(LATENCY_S) as url:
        few = await _process(url, FEW)
        many = await _process(url, MANY)
    each_mb = (many.peak_bytes - few.peak_bytes) / (MANY - FEW) / MB
    ideal_s = LATENCY_S * TURNS
    return [
        Count(
            what=f"{MANY} episodes of {TURNS} turns on {LATENCY_S:g} s replies, of the ideal",
            unit="x",
            measured=round(many.wall_s / ideal_s, 3),
            at_most=MOST_OF_IDEAL,
            beside={f"{FEW} episodes": round(few.wall_s / ideal_s, 3)},
        ),
        Count(
            what="memory of a further episode",
            unit="MB",
            measured=round(each_mb, 3),
            at_most=MOST_MB,
            beside={f"{MANY} episodes in all": round(many.peak_bytes / MB, 1)},
        ),
    ]


async def _process(url: str, episodes: int) -> Spent:
    argv = (PYTHON, "-m", "tests.bench.provider.waiting", url, str(episodes), str(TURNS))
    async with started(argv) as child, asyncio.timeout(LIMIT_S):
        out, _ = await child.process.communicate()
    if child.process.returncode != 0:
        raise NotMeasured(f"{episodes} episodes: {shown(out)}")
    return Spent.model_validate_json(out)


async def run(url: str, episodes: int, turns: int) -> Spent:
    """Runs them all at once, with what each result would hold in memory."""
    async with ModelClient(
        with_key(ModelProfile(name="fake", model="fake", base_url=url), {})
    ) as client:
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(episodes):
                group.create_task(_episode(client, turns))
        wall_s = time.monotonic() - began_s
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Spent(wall_s=round(wall_s, 3), peak_bytes=peak_kib * 1024)


async def _episode(client: ModelClient, turns: int) -> None:
    async def look(given: Path) -> Answer:
        return Answer("x" * RESULT_CHARS)

    async def ready() -> None:
        """Nothing has to be over before a tool may run."""

    def on_turn(line: TurnLine) -> None:
        """A run writes it to a file."""

    workbench = TaskWorkbench([Tool("look", "Shows a file.", Path, look, limit_s=30)], ready)
    episode = client.for_episode()
    agent = AssistantAgent(
        NAME, episode, workbench=workbench, system_message="You mend software.",
        model_context=ElidingContext(100_000, 0.8, 0.5), max_tool_iterations=1,
        reflect_on_tool_use=False,
    )  # fmt: skip
    loop = Loop(agent, episode, workbench, MaxTurns(turns), LIMIT_S, on_turn)
    assert await loop.run("Look at the file.") == Termination.MAX_TURNS


if __name__ == "__main__":
    spent = asyncio.run(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    sys.stdout.write(spent.model_dump_json() + "\n")
