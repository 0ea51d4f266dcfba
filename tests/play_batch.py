"""Plays a batch that never was through the display, to look at (`--help`)."""

import argparse
import asyncio
import os
import random
import sys
import time
from pathlib import Path

from agent_runner.batch.display.view import BatchView
from agent_runner.batch.events import (
    BatchEnded,
    BatchStarted,
    Budget,
    Call,
    EpisodeAgain,
    EpisodeEnded,
    EpisodeStarted,
    EpisodeStep,
    EpisodeTurn,
    Paused,
    Provider,
    Stuck,
    Waiting,
)
from agent_runner.errors import FaultKind
from agent_runner.result import Status, Termination

ENDINGS = ("exit code 0", "3 passed in 0.21 s", "applied (offset 2)", "1 failed, 41 passed")
TOOLS = ("docker_sh", "swe_pytest", "swe_apply_patch", "read_output")
NAMES = (
    "tidyframe__tidyframe-{}",
    "ünïcode__日本語-{}",
    "a_rather_long_owner__with_a_long_name-{}",
)


class Play:
    """Episodes whose turns take `turn_s` on average."""

    def __init__(self, view: BatchView, args: argparse.Namespace) -> None:
        self.view = view
        self.args = args
        self.random = random.Random(1)
        self.gate = asyncio.Semaphore(args.at_once)
        self.counts = {Status.RESOLVED: 0, Status.UNRESOLVED: 0, Status.INFRA_ERROR: 0}

    async def all(self) -> None:
        began_s = time.monotonic()
        count, at_once = self.args.episodes, self.args.at_once
        self.view.tell(BatchStarted(planned=count, asked=0, granted=at_once, granted_by="memory"))
        with self.view.shown():
            world = asyncio.create_task(self.world())
            try:
                async with asyncio.TaskGroup() as group:
                    for number in range(count):
                        name = NAMES[number % len(NAMES)].format(10_000 + number)
                        group.create_task(self.episode(name, number % 2 + 1))
            finally:
                world.cancel()
        spent_s = time.monotonic() - began_s
        self.view.tell(BatchEnded(counts=self.counts, duration_s=spent_s))

    async def world(self) -> None:
        """What happens beside the episodes."""
        await asyncio.sleep(3)
        self.view.tell(Provider(text="429 Too Many Requests, 3 of 64 under way", wait_s=4))
        await asyncio.sleep(2)
        names = list(self.view.state.running)[-2:]
        waits = [
            Waiting(task_id=task_id, attempt=attempt, waits_for="the engine: create", for_s=300)
            for task_id, attempt in names
        ]
        self.view.tell(Stuck(episodes=tuple(waits)))
        self.view.tell(Budget(unit="usd", spent=1.2, limit=5))
        await asyncio.sleep(2)
        self.view.tell(Provider(text=""))
        await asyncio.sleep(2)
        self.view.tell(Paused(why="the batch's budget is used up; raise limits.batch_cost_usd"))

    async def episode(self, task_id: str, attempt: int) -> None:
        async with self.gate:
            began_s = time.monotonic()
            who = {"task_id": task_id, "attempt": attempt}
            self.view.tell(EpisodeStarted(**who, tries=1))
            self.view.tell(EpisodeStep(**who, text="starting a container"))
            await asyncio.sleep(self.random.uniform(0, self.args.turn_s))
            if self.random.random() < 0.1:
                kind, text = FaultKind.ENGINE_UNAVAILABLE, "the engine does not answer"
                again = EpisodeAgain(
                    **who, tries=1, error_kind=kind, error_message=text, wait_s=1
                )  # fmt: skip
                self.view.tell(again)
                await asyncio.sleep(1)
                self.view.tell(EpisodeStarted(**who, tries=2))
            for turn in range(1, self.args.turns + 1):
                await asyncio.sleep(self.random.uniform(0.5, 1.5) * self.args.turn_s)
                self.turn(who, turn)
            self.ended(who, time.monotonic() - began_s)

    def turn(self, who: dict[str, object], turn: int) -> None:
        call = Call(
            tool=self.random.choice(TOOLS), arguments="x", is_error=False,
            ending=self.random.choice(ENDINGS),
        )  # fmt: skip
        self.view.tell(
            EpisodeTurn(
                **who, turn=turn, calls=(call,), duration_s=self.args.turn_s, prompt_tokens=900,
                completion_tokens=45, cost_usd=None if self.args.unknown else 0.002 * turn,
            )
        )  # fmt: skip

    def ended(self, who: dict[str, object], duration_s: float) -> None:
        status = self.random.choices(list(self.counts), (6, 3, 1))[0]
        self.counts[status] += 1
        is_ours = status is Status.INFRA_ERROR
        turns = self.args.turns
        self.view.tell(
            EpisodeEnded(
                **who, status=status, termination=None if is_ours else Termination.SUBMITTED,
                turns=turns, duration_s=duration_s, prompt_tokens=900 * turns,
                completion_tokens=45 * turns,
                cost_usd=None if self.args.unknown else 0.002 * turns,
                error_kind=FaultKind.CONTAINER_LOST if is_ours else None,
                error_message="removed from outside" if is_ours else None,
            )
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=40)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--turn-s", type=float, default=1.0)
    parser.add_argument("--unknown", action="store_true", help="no prices")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--log", type=Path, default=Path(os.devnull))
    args = parser.parse_args()
    with args.log.open("w", encoding="utf-8") as log:
        machine = sys.stdout if args.json else None
        view = BatchView(sys.stderr, events=machine, log=log, quiet=args.quiet)
        try:
            asyncio.run(Play(view, args).all())
        except KeyboardInterrupt:
            sys.exit(130)
        finally:
            log.write(f"CPU {time.process_time():.3f} s\n")


if __name__ == "__main__":
    main()
