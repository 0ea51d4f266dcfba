"""The main path of a batch: episodes side by side, each journalled the moment it ends."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent_runner.batch import events
from agent_runner.batch.entry import Entry
from agent_runner.batch.events import Event
from agent_runner.batch.order import BatchPaused, Capacity, Executor, Order
from agent_runner.batch.plan import Plan, Planned
from agent_runner.batch.watch import Signs, Stuck, patience_s, watched
from agent_runner.draft import Draft
from agent_runner.errors import FaultKind, InfraFault, ProviderKind
from agent_runner.result import Result, Status
from agent_runner.run_dir import RunDir
from agent_runner.stages import Stages

# What would end every other episode as well.
ENDS_ALL = frozenset(
    {ProviderKind.AUTH, ProviderKind.QUOTA, ProviderKind.MODEL, FaultKind.HOST_DISK_FULL}
)


@dataclass
class Batch:
    """A batch that runs; what ends is in its journal, and nowhere in memory.

    Attributes:
        done: what had ended before.
        paused: why no further episode is begun; "" while they are.
    """

    plan: Plan
    executor: Executor
    tell: Callable[[Event], None]
    done: Sequence[Entry] = ()
    paused: str = ""

    async def run(self, waiting: list[Planned], at_once: int) -> None:
        """Runs what is waiting; what came of it is in the journal.

        Raises:
            CancelledError: it was interrupted; what had ended by then is journalled.
        """
        queue = deque(waiting)

        async def work() -> None:
            while queue and not self.paused:
                await self._episode(queue.popleft())

        limit_s = self.plan.config.limits.batch_s
        try:
            async with asyncio.timeout(limit_s), asyncio.TaskGroup() as group:
                for _ in range(min(at_once, len(waiting))):
                    group.create_task(work())
        except* TimeoutError:
            self._pause(f"limits.batch_s: {limit_s:g} s are over")
        except* InfraFault as faults:
            raise faults.exceptions[0] from None

    def _pause(self, why: str) -> None:
        if not self.paused:
            self.paused = why
            self.tell(events.Paused(why=why))

    async def _episode(self, planned: Planned) -> None:
        """One episode, begun again where the world or the provider ended it."""
        begun, faults = planned.tries, Counter[Status]()
        while True:
            begun += 1
            order = self.plan.order(planned, begun)
            task_id, attempt = planned.key
            self.tell(events.EpisodeStarted(task_id=task_id, attempt=attempt, tries=begun))
            try:
                result = await self._result(order)
            except BatchPaused as paused:
                self._pause(str(paused))
                return  # without a result: `--resume` begins it again
            entry = self.plan.entry(planned, begun, result)
            if entry.error is not None and entry.error.kind in ENDS_ALL:
                self._pause(f"{entry.error.kind}: {entry.error.message}")
            faults[entry.status] += 1
            if not self._is_begun_again(entry, faults):
                break
            self._set_aside(planned, entry)
            await self._recovered(entry)
            if self.paused:
                return  # it has no result, so `--resume` begins it again
        self._journal(entry)
        self.tell(_ended(entry))

    def _journal(self, entry: Entry) -> None:
        """Nothing may be begun that could not be written down."""
        try:
            self.plan.directory.results.append(entry)
        except OSError as error:
            message = f"the result of {entry.directory} could not be journalled: {error}"
            raise InfraFault(FaultKind.HOST_DISK_FULL, message) from error

    async def _result(self, order: Order) -> Result:
        signs = Signs()

        def tell(event: Event) -> None:
            signs.sign(event.text if isinstance(event, events.EpisodeStep) else event.type)
            self.tell(event)

        try:
            return await watched(
                self.executor.run(order, tell), signs, patience_s(self.plan.config.limits),
                lambda stuck: self._told_stuck(order, stuck),
            )  # fmt: skip
        except Stuck as stuck:
            fault = InfraFault(FaultKind.STAGE_TIMEOUT, str(stuck), retryable=True)
            return _given_up(order, fault)

    def _told_stuck(self, order: Order, stuck: Stuck) -> None:
        waiting = events.Waiting(
            task_id=order.task.task_id, attempt=order.attempt, waits_for=stuck.step,
            for_s=round(stuck.silent_s, 1),
        )  # fmt: skip
        self.tell(events.Stuck(episodes=(waiting,)))

    def _is_begun_again(self, entry: Entry, faults: Counter[Status]) -> bool:
        """Whether it was nobody's of the agent, may go well, and was not tried too often."""
        retries = self.plan.config.retries
        most = {Status.INFRA_ERROR: retries.infra, Status.PROVIDER_ERROR: retries.provider}
        return (
            entry.error is not None
            and entry.error.retryable
            and not self.paused
            and faults[entry.status] <= most.get(entry.status, 0)
        )

    def _set_aside(self, planned: Planned, entry: Entry) -> None:
        """Keeps a try that failed as evidence."""
        assert entry.error is not None
        self.plan.directory.tries.append(entry)
        self.plan.directory.set_aside(planned.name)
        self.tell(
            events.EpisodeAgain(
                task_id=entry.task_id,
                attempt=entry.attempt,
                tries=entry.tries,
                error_kind=entry.error.kind,
                error_message=entry.error.message,
                wait_s=0.0,
            )
        )

    async def _recovered(self, entry: Entry) -> None:
        if entry.status != Status.INFRA_ERROR:
            return
        try:
            await self.executor.recovered()
        except InfraFault as fault:
            self._pause(f"{fault.kind}: {fault.message}")


def _given_up(order: Order, fault: InfraFault) -> Result:
    """The result of an episode that hung; what it wrote stays beside it."""
    directory = RunDir(Path(order.directory))
    written = directory.path / "result.json"
    stages = Stages(time.monotonic())
    draft = Draft(order.task, order.config, stages)
    draft.fail(fault)
    result = draft.result()
    if written.exists():
        before = Result.model_validate_json(written.read_text(encoding="utf-8"))
        result = before.model_copy(update={"status": result.status, "error": result.error})
    directory.finish(result)
    return result


def started(batch: Batch, capacity: Capacity) -> events.BatchStarted:
    """What is to be done, and what of it was done before."""
    costs = [entry.usage.cost_usd for entry in batch.done]
    known = [cost for cost in costs if cost is not None]
    return events.BatchStarted(
        planned=len(batch.plan.episodes),
        done=Counter(entry.status for entry in batch.done),
        done_cost_usd=sum(known) if len(known) == len(costs) else None,
        asked=capacity.asked,
        granted=min(capacity.episodes, capacity.containers),
        granted_by=capacity.why,
    )


def _ended(entry: Entry) -> events.EpisodeEnded:
    return events.EpisodeEnded(
        task_id=entry.task_id,
        attempt=entry.attempt,
        status=entry.status,
        termination=entry.termination,
        turns=entry.turns,
        duration_s=entry.duration_s,
        cost_usd=entry.usage.cost_usd,
        prompt_tokens=entry.usage.prompt_tokens,
        completion_tokens=entry.usage.completion_tokens,
        error_kind=entry.error.kind if entry.error else None,
        error_message=entry.error.message if entry.error else None,
    )
