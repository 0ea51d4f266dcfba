"""A deadline for what has none of its own: an episode that gives no sign of life is given up."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from agent_runner.batch.settings import BatchLimits
from agent_runner.result import Result

# Above the longest thing an episode may do without a word: a stage that runs into its limit, or a
# model call that is tried again and again.
MARGIN = 1.5
PROVIDER_S = 1800.0
GRACE_S = 30.0


@dataclass
class Signs:
    """What an episode said last, and when."""

    step: str = "starting"
    since_s: float = field(default_factory=time.monotonic)

    def sign(self, step: str) -> None:
        """It lives."""
        self.step, self.since_s = step, time.monotonic()

    @property
    def silent_s(self) -> float:
        """Seconds since it last said something."""
        return time.monotonic() - self.since_s


class Stuck(Exception):
    """An episode gave no sign of life.

    Attributes:
        step: what it was at.
        silent_s: for how many seconds.
    """

    def __init__(self, step: str, silent_s: float) -> None:
        super().__init__(f"no sign of life for {silent_s:.0f} s while: {step}")
        self.step = step
        self.silent_s = silent_s


def patience_s(limits: BatchLimits) -> float:
    """How long an episode may be silent: longer than any of its own limits lets it be."""
    stages = (
        limits.clone_s, limits.install_s, limits.tests_s, limits.grade_s, limits.build_s,
        limits.mirror_s, limits.pull_s, PROVIDER_S,
    )  # fmt: skip
    return MARGIN * max(stages)


async def watched(
    episode: Coroutine[None, None, Result], signs: Signs, patience_s: float,
    told: Callable[[Stuck], object], *, grace_s: float = GRACE_S,
) -> Result:  # fmt: skip
    """The result of an episode that may hang.

    Args:
        told: of the episode that is given up, before it is ended.
        grace_s: how long it has to end; after that nobody waits for it any more.

    Raises:
        Stuck: it was silent for longer than `patience_s`.
    """
    task = asyncio.create_task(episode)
    try:
        while True:
            left_s = max(0.01, patience_s - signs.silent_s)
            done, _ = await asyncio.wait({task}, timeout=left_s)
            if done:
                return task.result()
            if signs.silent_s >= patience_s:
                stuck = Stuck(signs.step, signs.silent_s)
                told(stuck)
                raise stuck
    finally:
        if not task.done():
            task.cancel()
            # Whatever it comes to later, nobody will ask.
            task.add_done_callback(lambda over: over.cancelled() or over.exception())
            await asyncio.wait({task}, timeout=grace_s)
