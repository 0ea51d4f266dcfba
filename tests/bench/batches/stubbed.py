"""A whole batch whose containers answer at once: what the runner itself costs.

`python -m tests.bench.batches.stubbed URL DIRECTORY EPISODES AT_ONCE` is the process measured; it
prints what it used. Tasks, journal, view, executor's seam, agent, client, tools and their outputs
are the product's own; only the container is not there, and nothing is graded.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict

from agent_runner.agent_run import AgentRun
from agent_runner.batch.begin import begin
from agent_runner.batch.display.view import BatchView
from agent_runner.batch.events import EpisodeEnded, Event
from agent_runner.batch.observer import EpisodeObserver
from agent_runner.batch.order import Capacity, Order, Tell
from agent_runner.batch.plan import DEFAULT_AGAIN, take_up
from agent_runner.batch.run import Batch, started
from agent_runner.batch.settings import BatchConfig
from agent_runner.config import dump
from agent_runner.draft import Draft
from agent_runner.model import choose
from agent_runner.places import found
from agent_runner.prompts import render
from agent_runner.provider.client import ModelClient
from agent_runner.result import Result, Status
from agent_runner.run_dir import create
from agent_runner.stages import Stages
from tests.bench.batches.instant import instant_tools
from tools.outputs.store import Outputs

LOOK_S = 0.5
MB = 1024 * 1024


class Spent(BaseModel):
    """What the process used.

    Attributes:
        cpu_s: of the process, imports included.
        rss_mb: resident set by how many episodes had ended when it was looked at.
        peak_mb: the largest there was.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wall_s: float
    cpu_s: float
    turns: int
    with_verdict: int
    start_mb: float
    peak_mb: float
    rss_mb: tuple[tuple[int, float], ...]

    def at(self, share: float, episodes: int) -> float:
        """Resident set when this share of the episodes had ended."""
        return next(mb for ended, mb in self.rss_mb if ended >= share * episodes)


class InstantExecutor:
    """What `LocalExecutor` does for an episode, without engine, container and grading."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._client: ModelClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            await self._client.__aexit__(kind, error, trace)

    async def capacity(self) -> Capacity:
        """As many as are measured."""
        many = self._at_once
        return Capacity(
            asked=many, episodes=many, containers=many, starts=1, ahead=0, builds=1, gradings=1
        )

    async def run(self, order: Order, tell: Tell) -> Result:
        """See `LocalExecutor.run`."""
        directory = create(order.task.slug, Path(order.directory))
        directory.write("config.yaml", dump(order.config).encode())
        draft = Draft(order.task, order.config, Stages(time.monotonic()))
        with directory.log.open("a", encoding="utf-8") as log:
            observer = EpisodeObserver(
                quiet=True, log=log, tell=tell, task_id=order.task.task_id, attempt=order.attempt
            )
            model = choose(order.config, os.environ)
            prompts = render(found(order.config.prompt), order.task)

            async def client() -> ModelClient:
                if self._client is None:
                    self._client = await ModelClient(model.resolved).__aenter__()
                return self._client

            outputs = Outputs(directory.outputs)
            workspace, tools = instant_tools(outputs)
            run = AgentRun(
                order.config, model, prompts, workspace, tools, outputs, draft, observer,
                directory.trajectory, directory.recording, _ready, client,
            )  # fmt: skip
            with draft.stages.stage("agent"):
                await run.solve()
            draft.status = Status.UNRESOLVED
            return draft.write(directory)

    async def recovered(self) -> None:
        """There is no world that could fail."""


async def _ready() -> None:
    """Nothing is measured in a container that is not there."""


async def run(url: str, directory: Path, episodes: int, at_once: int) -> Spent:
    """Runs the batch and looks at itself meanwhile."""
    rows = [
        {
            "task_id": f"owner__project-{n}",
            "repo": "https://example.org/r",
            "ref": "main",
            "problem_statement": "Mend.",
        }
        for n in range(episodes)
    ]
    tasks = directory / "tasks.jsonl"
    tasks.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config = BatchConfig.model_validate(
        {
            "tasks": {"source": {"type": "file", "path": str(tasks)}},
            "model": "fake",
            "base_url": url,
        }
    )
    plan = begin(config, "stubbed", directory / "batch")
    _, waiting = take_up(plan, DEFAULT_AGAIN)
    looked: list[tuple[int, float]] = []
    with (plan.directory.path / "run.log").open("a", encoding="utf-8") as log:
        view = BatchView(sys.stderr, log=log)
        executor = InstantExecutor(at_once)
        ended: list[str] = []

        def tell(event: Event) -> None:
            if isinstance(event, EpisodeEnded):
                ended.append(event.task_id)
            view.tell(event)

        batch = Batch(plan, executor, tell)
        start_mb, began_s = _rss_mb(), time.monotonic()
        looking = asyncio.create_task(_look(lambda: len(ended), looked))
        async with executor:
            with view.shown():
                view.tell(started(batch, await executor.capacity()))
                await batch.run(waiting, at_once)
        looked.append((len(ended), _rss_mb()))
        looking.cancel()
    entries = plan.directory.results.read()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Spent(
        wall_s=round(time.monotonic() - began_s, 3),
        cpu_s=round(used.ru_utime + used.ru_stime, 3),
        turns=sum(entry.turns for entry in entries),
        with_verdict=sum(entry.counts for entry in entries),
        start_mb=start_mb,
        peak_mb=round(used.ru_maxrss / 1024, 1),
        rss_mb=tuple(looked),
    )


async def _look(ended: Callable[[], int], looked: list[tuple[int, float]]) -> None:
    while True:
        looked.append((ended(), _rss_mb()))
        await asyncio.sleep(LOOK_S)


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * resource.getpagesize() / MB, 1)


if __name__ == "__main__":
    spent = asyncio.run(run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
    sys.stdout.write(spent.model_dump_json() + "\n")
