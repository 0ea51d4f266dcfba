"""100 episodes of 20 turns against an endpoint that fails 30 % of its requests."""

from collections import Counter
from pathlib import Path

from agent_runner.testing.plan import DRAWN
from tests.bench.provider.chaos import EPISODES, MOST_REQUESTS, TURNS
from tests.bench.provider.storm import RATE, Storm, storm


def counted(found: Storm) -> None:
    """The endpoint and our records agree on every request, and on every token that came along."""
    assert found.stats.requests == len(found.attempts)
    assert (found.stats.told.prompt, found.stats.told.completion) == found.tokens()


async def test_every_episode_ends_as_without_faults_and_every_request_is_counted(
    tmp_path: Path,
) -> None:
    calm = await storm(tmp_path, EPISODES, TURNS, rate=0.0)
    assert Counter((each.end, each.turns) for each in calm.ended) == {
        ("submitted", TURNS): EPISODES
    }
    assert calm.stats.requests == EPISODES * TURNS
    assert calm.stats.billed == calm.stats.told
    counted(calm)

    wild = await storm(tmp_path, EPISODES, TURNS, rate=RATE)
    assert Counter(each.end for each in wild.ended) == {"submitted": EPISODES}
    assert wild.ended == calm.ended
    counted(wild)
    assert wild.stats.requests <= MOST_REQUESTS * calm.stats.requests
    assert set(wild.stats.by_fault) == {*DRAWN}
    failed = sum(wild.stats.by_fault.values())
    assert 0.27 < failed / wild.stats.requests < 0.33
    # What was lost on the way was billed, and nobody can know of it.
    assert wild.stats.billed.completion > wild.stats.told.completion


async def test_the_same_seed_brings_the_same_faults_whatever_the_order(tmp_path: Path) -> None:
    first, second = [await storm(tmp_path, 10, 5, RATE, seed=1) for _ in range(2)]
    other = await storm(tmp_path, 10, 5, RATE, seed=2)
    assert first.stats == second.stats
    assert first.stats.by_fault != other.stats.by_fault
