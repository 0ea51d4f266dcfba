"""The solvers with an agent: a live, a scripted or a recorded model, over the same client."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from autogen_agentchat.agents import AssistantAgent

from agent_runner import __version__
from agent_runner.agent import NAME, Loop
from agent_runner.config import RunConfig
from agent_runner.context import ElidingContext
from agent_runner.draft import Draft
from agent_runner.evidence import hints_in_turn
from agent_runner.model import Model
from agent_runner.observer import Observer
from agent_runner.policy import policy
from agent_runner.prompts import Prompts
from agent_runner.provider.client import ModelClient
from agent_runner.provider.episode_client import EpisodeClient
from agent_runner.provider.profile import ModelProfile, with_key
from agent_runner.provider.recording.lines import Header as RecordingHeader
from agent_runner.provider.recording.recorder import Recorder, stamp
from agent_runner.provider.recording.replay import ReplayRetries, ReplaySource
from agent_runner.provider.redaction import Redactor
from agent_runner.provider.spending.budget import Budget, Scope
from agent_runner.provider.spending.spend import missing_price
from agent_runner.provider.traffic.news import News
from agent_runner.tally import Tally
from agent_runner.trajectory import End, Header, Trajectory, TurnLine
from tools.outputs.display import plain
from tools.outputs.store import Outputs
from tools.toolset import Toolset
from tools.workbench import TaskWorkbench
from tools.workspace.workspace import Workspace


@dataclass(frozen=True)
class AgentRun:
    """One agent at one task.

    Attributes:
        ready: awaited before the first tool may run, so that nothing measured can be disturbed.
        client: gives that of a batch, shared by its episodes; None for one of its own.
    """

    config: RunConfig
    model: Model
    prompts: Prompts
    workspace: Workspace
    tools: Toolset
    outputs: Outputs
    draft: Draft
    observer: Observer
    trajectory: Path
    recording: Path
    ready: Callable[[], Awaitable[object]]
    client: Callable[[], Awaitable[ModelClient]] | None = None

    async def solve(self) -> None:
        """Lets the agent work until the policy stops it; what it did is in the draft.

        Raises:
            InfraFault, ProviderFault: the world or the endpoint ended it.
            BudgetReached: that of the batch.
        """
        workbench = TaskWorkbench(self.tools.chosen(self.config.tools), self.ready)
        tally = Tally()
        limits = self.config.limits
        profile = self.model.profile
        self.draft.provenance |= {
            "model_asked": profile.model, "prompt_sha256": self.prompts.sha256
        }  # fmt: skip
        dumped = profile.model_dump(mode="json")
        self.draft.model_profile = {**dumped, "learned": [*self.model.learned]}
        if self.model.is_live and (warning := missing_price(profile)) is not None:
            self.observer.complain(warning)
        with Trajectory.create(self.trajectory) as trajectory:
            trajectory.write(self._header(profile.model))
            try:
                async with self._episode(workbench.closable) as episode:
                    agent = AssistantAgent(
                        NAME,
                        episode,
                        workbench=workbench,
                        system_message=self.prompts.system,
                        model_context=self._context(profile),
                        max_tool_iterations=1,
                        reflect_on_tool_use=False,
                    )
                    condition = policy(
                        self.config, self.draft.task, self.workspace, workbench.answer
                    )
                    on_turn = self._on_turn(trajectory)
                    loop = Loop(
                        agent, episode, workbench, condition, limits.episode_s, on_turn, tally,
                        limits.turn_s,
                    )  # fmt: skip
                    with self.observer.waiting("turn 1", lines=False):
                        self.draft.termination = await loop.run(self.prompts.task)
            finally:
                self._take_down(tally, workbench)
                trajectory.write(End(termination=self.draft.termination))

    def _header(self, model: str) -> Header:
        return Header(
            task_id=self.draft.task.task_id,
            solver=self.config.solver,
            model=model,
            system_prompt=self.prompts.system,
            task_prompt=self.prompts.task,
            tools=tuple(tool.name for tool in self.tools.chosen(self.config.tools)),
        )

    def _context(self, profile: ModelProfile) -> ElidingContext:
        settings = self.config.context
        budget = settings.tokens or profile.context_tokens - profile.max_tokens
        return ElidingContext(budget, settings.high, settings.low)

    @asynccontextmanager
    async def _episode(self, closable: Collection[str]) -> AsyncIterator[EpisodeClient]:
        """The client of this episode, every exchange of which is recorded."""
        with self._recorder() as recorder:
            try:
                limits = self.config.limits
                budget = Budget(Scope.EPISODE, limits.tokens, limits.cost_usd)
                tell = self.observer.late
                async with self._client() as client:
                    # What all episodes of a batch wait for is told once, by the batch.
                    alone = self.client is None
                    with client.gate.told(self._say) if alone else nullcontext():
                        yield client.for_episode(recorder, closable, budget=budget, tell=tell)
            finally:
                stopped = recorder.stopped if recorder else None
                self.draft.provenance["recording"] = (
                    f"stopped: {stopped}" if stopped else self.config.record
                )

    def _recorder(self) -> AbstractContextManager[Recorder | None]:
        level = self.config.record
        if level == "off":
            return nullcontext()
        header = RecordingHeader(
            level=level,
            task_id=self.draft.task.task_id,
            began=stamp(time.time()),
            agent_runner=__version__,
            profile=self.model.profile,
            learned=self.model.learned,
        )
        redactor = Redactor(self.model.resolved.api_key.get_secret_value())
        return Recorder(self.recording, header, redactor, self.observer.complain)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[ModelClient]:
        """The client of a live model, of a recording, or of a script that is played on loopback."""
        if self.client is not None:
            yield await self.client()
        elif self.model.recording is not None:
            source = ReplaySource(
                self.model.recording, self.config.replay, self.observer.complain
            )  # fmt: skip
            async with ModelClient(self.model.resolved, ReplayRetries.of(source), source) as client:
                yield client
        elif self.model.script is not None:
            from agent_runner.testing.endpoint import FakeEndpoint
            from agent_runner.testing.script import Script

            script = Script.load(self.model.script)
            async with FakeEndpoint([script]) as endpoint:
                profile = self.model.profile.model_copy(update={"base_url": endpoint.base_url})
                async with ModelClient(with_key(profile, {})) as client:
                    yield client
        else:
            async with ModelClient(self.model.resolved) as client:
                yield client

    def _say(self, news: News) -> None:
        self.observer.say(str(news))

    def _on_turn(self, trajectory: Trajectory) -> Callable[[TurnLine], None]:
        def take(line: TurnLine) -> None:
            trajectory.write(line)
            self.draft.turn(line)
            self.draft.hints += hints_in_turn(line)
            self.observer.turn(line)
            self.observer.show(f"turn {line.turn + 1}")

        return take

    def _take_down(self, tally: Tally, workbench: TaskWorkbench) -> None:
        draft = self.draft
        draft.usage = tally.usage(self.model.profile.prices)
        draft.stages.add("model_wait", tally.model_s)
        draft.stages.add("throttle_wait", tally.throttle_s)
        draft.stages.add("tools", tally.tools_s)
        answered = [record.model for record in tally.records if record.model]
        draft.provenance["model_answered"] = answered[-1] if answered else None
        tests = [call.answer.handle for call in workbench.calls if call.tool == "swe_pytest"]
        logs = [plain(self.outputs.path(handle).read_bytes()) for handle in tests if handle]
        if logs:
            draft.tail_before, draft.tail_after = logs[0], logs[-1]
