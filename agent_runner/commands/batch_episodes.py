"""The episodes of a batch in an event loop of their own, until they are over or interrupted."""

import asyncio
import signal

from agent_runner.batch.display.view import BatchView
from agent_runner.batch.entry import Entry
from agent_runner.batch.plan import Plan, Planned
from agent_runner.batch.run import Batch, started
from agent_runner.batch.spent import spent_by
from agent_runner.executors.local import LocalExecutor


def run_episodes(
    plan: Plan, done: list[Entry], waiting: list[Planned], view: BatchView
) -> bool:  # fmt: skip
    """Runs them; False where Ctrl-C or SIGTERM cut them short.

    Args:
        done: what has ended before.
    """
    spent = spent_by([*done, *plan.directory.tries.read()])
    executor = LocalExecutor(plan.config.executor, plan.config.limits, view.tell, spent)
    batch = Batch(plan, executor, view.tell, done)

    async def interruptible() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        async with executor:
            capacity = await executor.capacity()
            with view.shown():
                view.tell(started(batch, capacity))
                await batch.run(waiting, capacity.episodes)

    try:
        with asyncio.Runner() as runner:
            runner.run(interruptible())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return False
    return True
