"""Episodes in this process, their containers at this machine's (or `DOCKER_HOST`'s) engine."""

import asyncio
import os
import time
import traceback
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from agent_runner.batch.events import Provider
from agent_runner.batch.observer import EpisodeObserver
from agent_runner.batch.order import BatchPaused, Capacity, Order, Tell
from agent_runner.batch.settings import BatchLimits, Local
from agent_runner.config import dump
from agent_runner.draft import Draft
from agent_runner.episode import run_episode
from agent_runner.errors import InfraFault, UsageError
from agent_runner.executors.capacity import capacity_of
from agent_runner.gates import Gate, Gates
from agent_runner.job import Job
from agent_runner.model import Model, choose
from agent_runner.places import found, home
from agent_runner.prompts import render
from agent_runner.provider.spending.budget import Budget, BudgetReached, Scope
from agent_runner.provider.spending.spend import Spend
from agent_runner.provider.traffic.news import Back, News, Paused, Refused
from agent_runner.result import Result
from agent_runner.run_dir import RunDir, create
from agent_runner.stages import Stages
from tools.workspace.engine import Engine
from tools.workspace.leftovers import outcome, sweep

if TYPE_CHECKING:
    from agent_runner.provider.client import ModelClient

AGENTS = ("agent", "replay")
RECOVERY_LIMIT_S = 300.0
LOOK_S = 1.0


class LocalExecutor:
    """All episodes of a batch in one asyncio process; they share one model client."""

    def __init__(
        self, local: Local, limits: BatchLimits, tell: Tell, spent: Spend | None = None
    ) -> None:
        """Takes what all episodes together have spent before, in earlier processes."""
        self._local = local
        self._limits = limits
        self._tell = tell
        self._budget = Budget(Scope.BATCH, limits.batch_tokens, limits.batch_cost_usd, spent)
        self._stack = AsyncExitStack()
        self._gates: Gates | None = None
        self._capacity: Capacity | None = None
        self._clients: dict[str, ModelClient] = {}
        self.swept: list[str] = []

    async def __aenter__(self) -> Self:
        async with Engine() as engine:
            self._capacity = capacity_of(await engine.facts(), self._local, self._limits)
            await sweep(engine, told=lambda *one: self.swept.append(outcome(*one)))
        capacity = self._capacity
        self._gates = Gates(
            builds=Gate(capacity.builds),
            starts=Gate(capacity.starts),
            containers=Gate(capacity.containers + capacity.ahead),
            work=Gate(capacity.containers),
            gradings=Gate(capacity.gradings),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def capacity(self) -> Capacity:
        """See `Executor`."""
        assert self._capacity is not None
        return self._capacity

    async def run(self, order: Order, tell: Tell) -> Result:
        """See `Executor`."""
        directory = create(order.task.slug, Path(order.directory))
        directory.write("config.yaml", dump(order.config).encode())
        with directory.log.open("a", encoding="utf-8") as log:
            observer = EpisodeObserver(
                quiet=True, log=log, tell=tell, task_id=order.task.task_id, attempt=order.attempt
            )
            stages = Stages(time.monotonic())
            try:
                job = self._job(order, directory, stages)
                observer.prices = job.model.profile.prices if job.model else None
                return await run_episode(job, observer)
            except UsageError as error:
                draft = Draft(order.task, order.config, stages)
                draft.invalid(str(error))
                return draft.write(directory)
            except BudgetReached as reached:
                why = f"limits.batch_{reached.measure}: {reached}; raise it and --resume"
                raise BatchPaused(why) from reached
            except Exception:  # noqa: BLE001 - one episode's bug: its traceback, the rest goes on
                observer.complain(traceback.format_exc())
        written = (directory.path / "result.json").read_text(encoding="utf-8")
        return Result.model_validate_json(written)

    async def recovered(self) -> None:
        """See `Executor`."""
        for _ in range(round(RECOVERY_LIMIT_S / LOOK_S)):
            try:
                async with Engine():
                    return
            except InfraFault:
                await asyncio.sleep(LOOK_S)
        async with Engine():
            """It answers now, or the fault that says why not is raised."""

    def _job(self, order: Order, directory: RunDir, stages: Stages) -> Job:
        config, located = order.config, order.located
        assert self._gates is not None
        with_agent = config.solver in AGENTS
        model = choose(config, os.environ) if with_agent else None
        return Job(
            config, located, directory, home(), stages,
            patch=located.task.patch.encode() if config.solver == "gold" else b"",
            model=model,
            prompts=render(found(config.prompt), located.task) if with_agent else None,
            client=partial(self._client, model) if model and model.is_live else None,
            gates=self._gates,
            sweeps=False,
        )  # fmt: skip

    def _provider(self, news: News) -> None:
        self._tell(event_of(news))

    async def _client(self, model: Model) -> "ModelClient":
        """The one client of a live model; what is played has one of its own per episode."""
        name = model.profile.model_dump_json()
        if name not in self._clients:
            module = await asyncio.to_thread(_client_module)
            if name not in self._clients:
                client = module(model.resolved, budget=self._budget)
                self._clients[name] = await self._stack.enter_async_context(client)
                self._stack.enter_context(client.gate.told(self._provider))
        return self._clients[name]


def event_of(news: News) -> Provider:
    """What a batch tells of its provider."""
    match news:
        case Back():
            return Provider(text="")
        case Paused():
            return Provider(text=f"{news.host}: {news.why}", wait_s=news.wait_s)
        case Refused():
            return Provider(text=f"{news.host}: {news.why}; no further request is sent")


def _client_module() -> "type[ModelClient]":
    """The OpenAI SDK takes half a second to import."""
    from agent_runner.provider.client import ModelClient

    return ModelClient
