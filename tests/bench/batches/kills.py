"""A batch of 40 episodes that is killed 50 times, each time resumed, beside an undisturbed one."""

import asyncio
import random
import secrets
from collections import Counter
from pathlib import Path

from agent_runner import places
from tests.bench.process import NotMeasured
from tests.bench.row import Count
from tests.bench.say import say
from tests.bench.setting import Setting
from tests.e2e.batches.kill_at import POINTS
from tests.e2e.batches.killing import Killing
from tests.e2e.batches.small_batch import SmallBatch, kept
from tests.e2e.traces import World

EPISODES = 40
LAYERS = 20
KILLS = 50
LEAST_AT_A_POINT = 5


async def measure(setting: Setting) -> list[Count]:
    """Prints when each kill was; counts what is not as in the undisturbed run."""
    return await asyncio.to_thread(_measure, setting.scratch / "kills")


def _measure(place: Path) -> list[Count]:
    place.mkdir()
    seed = secrets.randbits(32)
    world = World.make(place, shared=("uv", "init"))
    say(f"seed {seed}; state in {places.home()}")
    calm = _batch(place / "calm", world.home, seconds=0)
    ran = calm.run(str(calm.yaml), "--out", str(place / "undisturbed"), limit_s=1800)
    if ran.returncode != 0:
        raise NotMeasured(f"the undisturbed batch: {ran.stderr[-300:]}")
    rng = random.Random(seed)
    killed = _batch(place / "small", world.home, seconds=rng.randrange(100, 80_000))
    killing = Killing(killed, place / "killed", rng)
    killing.run(KILLS, LEAST_AT_A_POINT)
    say("\n".join(killing.done))
    world.clean()
    left = world.left((place / "killed").glob("episodes/*"))
    return [
        Count(
            what=f"episodes not as undisturbed, of {EPISODES}, after {len(killing.done)} kills",
            unit="episodes",
            measured=_differing(kept(place / "undisturbed"), kept(place / "killed")),
            at_most=0,
            beside={f"kills: {point}": n for point, n in sorted(killing.by_point.items())},
        ),
        Count(
            what="fewest kills at one of the points",
            unit="kills",
            measured=min(Counter({point: 0 for point in POINTS} | killing.by_point).values()),
            at_least=LEAST_AT_A_POINT,
        ),
        Count(
            what="left after clean", unit="things", measured=sum(map(len, left.values())), at_most=0
        ),
    ]


def _batch(place: Path, home: Path, *, seconds: int) -> SmallBatch:
    return SmallBatch.make(place, home, layers=LAYERS, tasks=EPISODES, seconds=seconds)


def _differing(calm: dict[tuple[str, int], object], killed: dict[tuple[str, int], object]) -> int:
    return sum(calm.get(key) != killed.get(key) for key in calm.keys() | killed.keys())
