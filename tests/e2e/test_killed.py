"""`kill -9` at any moment, then `clean`: nothing of ours is left, and the next run succeeds."""

import os
import random
import secrets
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.small_task import SmallTask
from tests.e2e.traces import World, nameless

if TYPE_CHECKING:
    from tools.workspace.layers.base_image import Base

pytestmark = pytest.mark.e2e

MOMENTS = 20
AT_ONCE = 2
# The last moments of a run count as well, however its length wavers.
STRETCH = 1.1
ENOUGH = 14
SEED_VARIABLE = "AGENT_RUNNER_TEST_SEED"


@dataclass(frozen=True)
class Kill:
    """A run and when it is to be killed, in seconds from its start."""

    at_s: float
    out: Path
    args: tuple[str, ...]


@pytest.fixture
def world(tmp_path: Path, base: "Base") -> World:
    """Its own, over what the user's keeps of packages and init."""
    return World.make(tmp_path, shared=("uv", "init"))


def test_a_run_killed_at_any_moment_leaves_nothing(world: World, tmp_path: Path) -> None:
    seed = int(os.environ.get(SEED_VARIABLE, secrets.randbits(32)))
    print(f"\n{SEED_VARIABLE}={seed}")  # noqa: T201 - pytest shows it with a failure
    rng = random.Random(seed)
    task = SmallTask.make(tmp_path / "task")
    seconds = iter(rng.sample(range(86_400), MOMENTS + AT_ONCE))
    warm = [task.args(next(seconds)) for _ in range(AT_ONCE)]
    before = nameless()
    cold_s, warm_s = (length_s(world, tmp_path / name, warm) for name in ("first", "second"))
    print(f"cold {cold_s:.1f} s, warm {warm_s:.1f} s")  # noqa: T201
    killed = 0
    cold = [task.args(next(seconds)) for _ in range(MOMENTS // 2)]
    # Up to the agent both are the same, but for layers that have to be built.
    plans = (
        plan(rng, cold_s - warm_s / 2, cold, tmp_path / "cold"),
        plan(rng, warm_s, warm * (MOMENTS // 2 // AT_ONCE), tmp_path / "warm"),
    )
    for wave in (each[n : n + AT_ONCE] for each in plans for n in range(0, len(each), AT_ONCE)):
        killed += kill(world, wave)
        world.clean()
        where = f"killed after {[each.at_s for each in wave]} s, {SEED_VARIABLE}={seed}"
        assert world.left([each.out for each in wave]) == {}, where
        assert nameless() <= before, where
    assert killed >= ENOUGH, f"only {killed} of {MOMENTS} runs were killed before their end"
    length_s(world, tmp_path / "after", warm)


def length_s(world: World, place: Path, tasks: list[tuple[str, ...]]) -> float:
    """Seconds that runs at once take, which all must resolve their task."""
    place.mkdir()
    began_s = time.monotonic()
    started = [(place / str(n), world.start(place / str(n), *args)) for n, args in enumerate(tasks)]
    for out, process in started:
        assert process.wait(timeout=300) == 0, out.with_suffix(".err").read_text(encoding="utf-8")
    return time.monotonic() - began_s


def plan(
    rng: random.Random, length_s: float, runs: list[tuple[str, ...]], place: Path
) -> list[Kill]:
    """A moment for each run, spread evenly over the length."""
    place.mkdir()
    return [
        Kill((n + rng.random()) / len(runs) * length_s * STRETCH, place / str(n), args)
        for n, args in enumerate(runs)
    ]


def kill(world: World, wave: list[Kill]) -> int:
    """Starts the runs, kills each at its moment, and returns how many were not over by then."""
    running: list[tuple[Kill, subprocess.Popen[bytes]]] = []
    began_s = time.monotonic()
    try:
        for each in wave:
            running.append((each, world.start(each.out, *each.args)))
        alive = 0
        for each, process in running:
            time.sleep(max(0.0, began_s + each.at_s - time.monotonic()))
            alive += process.poll() is None
            print(stage(each, process))  # noqa: T201
            process.kill()
            process.wait()
        return alive
    finally:
        for _, process in running:
            process.kill()
            process.wait()


def stage(each: Kill, process: subprocess.Popen[bytes]) -> str:
    """What it was doing, for a person."""
    log = each.out / "run.log"
    said = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    state = "over" if process.poll() is not None else (said[-1][21:80] if said else "starting")
    return f"{each.at_s:6.2f} s {each.out.parent.name}: {state}"
