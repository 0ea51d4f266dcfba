"""What the runner costs: a batch of many episodes whose containers answer at once."""

import asyncio

from tests.bench.batches.endpoint import DONE, call, endpoint
from tests.bench.batches.stubbed import Spent
from tests.bench.process import PYTHON, NotMeasured, shown, started
from tests.bench.row import Count
from tests.bench.setting import Setting

EPISODES, AT_ONCE, TURNS = 500, 64, 10
LATENCY_S = 1.0
LIMIT_S = 900.0
MOST_MS = 25.0
# 250 MB, and one more for each episode that runs.
MOST_MB = 250.0 + AT_ONCE
MOST_GROWTH = 1.05


async def measure(setting: Setting) -> list[Count]:
    """One process, looked at while it runs."""
    place = setting.scratch / "stubbed"
    place.mkdir()
    looking = (call("docker_sh", command=f"cat file_{turn}.py") for turn in range(TURNS - 1))
    async with endpoint(place, [*looking, DONE], LATENCY_S) as url:
        argv = (PYTHON, "-m", "tests.bench.batches.stubbed", url, str(place), str(EPISODES))
        async with started((*argv, str(AT_ONCE))) as child, asyncio.timeout(LIMIT_S):
            out, _ = await child.process.communicate()
    if child.process.returncode != 0:
        raise NotMeasured(f"{EPISODES} episodes: {shown(out)}")
    spent = Spent.model_validate_json(out.splitlines()[-1])
    if spent.turns != EPISODES * TURNS or spent.with_verdict != EPISODES:
        raise NotMeasured(f"{spent.with_verdict} episodes and {spent.turns} turns came through")
    quarter_mb = spent.at(0.25, EPISODES)
    return [
        Count(
            what=f"runner's CPU of a turn: {EPISODES} episodes, {AT_ONCE} at once, no containers",
            unit="ms",
            measured=round(spent.cpu_s / spent.turns * 1000, 2),
            at_most=MOST_MS,
            beside={"wall s": spent.wall_s, "its ideal s": _ideal_s()},
        ),
        Count(
            what=f"the runner's memory at its peak, {AT_ONCE} at once",
            unit="MB",
            measured=spent.peak_mb,
            at_most=MOST_MB,
            beside={"before the first": spent.start_mb},
        ),
        Count(
            what="the runner's memory at the end, over that after a quarter of the episodes",
            unit="x",
            measured=round(spent.at(1.0, EPISODES) / quarter_mb, 3),
            at_most=MOST_GROWTH,
            beside={"MB after a quarter": quarter_mb, "MB at the end": spent.at(1.0, EPISODES)},
        ),
    ]


def _ideal_s() -> float:
    return round(EPISODES * TURNS * LATENCY_S / AT_ONCE, 1)
