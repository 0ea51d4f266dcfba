"""Episodes side by side: what is begun again, what ends the batch, what is journalled."""

import asyncio
import json

import pytest

from agent_runner.batch.events import EpisodeAgain, EpisodeEnded, Paused
from agent_runner.batch.order import Order
from agent_runner.errors import FaultKind, InfraFault, ProviderFault, ProviderKind
from agent_runner.result import Result, Status
from tests.unit.batch.conftest import MakeBench, failing, resolved, unresolved

LOST = InfraFault(FaultKind.CONTAINER_LOST, "the container is gone", retryable=True)
DOWN = ProviderFault(ProviderKind.UNAVAILABLE, "503", retryable=True)
NO_MONEY = ProviderFault(ProviderKind.QUOTA, "402 Payment Required")


async def test_every_episode_has_one_line_and_no_more_run_at_once_than_may(
    bench: MakeBench,
) -> None:
    made = bench("a", "b", "c", attempts=2)
    await made.run()
    assert sorted(entry.key for entry in made.results) == [
        (name, attempt) for name in "abc" for attempt in (1, 2)
    ]
    assert {entry.planned for entry in made.results} == {6}
    assert made.executor.most_at_once == 2


async def test_first_attempts_come_before_second_ones(bench: MakeBench) -> None:
    made = bench("a", "b", attempts=2)
    await made.run(at_once=1)
    assert [(task, attempt) for task, attempt, _ in made.ran] == [
        ("a", 1), ("b", 1), ("a", 2), ("b", 2)
    ]  # fmt: skip


async def test_what_the_world_ended_is_begun_again_and_kept_as_evidence(bench: MakeBench) -> None:
    made = bench("a")
    made.executor.plays["a"] = [failing(LOST), failing(LOST), resolved]
    await made.run()
    (entry,) = made.results
    assert (entry.status, entry.tries) == (Status.RESOLVED, 3)
    assert made.ran == [("a", 1, 1), ("a", 1, 2), ("a", 1, 3)]
    assert made.executor.recoveries == 2
    kept = [json.loads((made.path / "tries" / name / "result.json").read_text())
            for name in ("a.1.1", "a.1.2")]  # fmt: skip
    assert [each["error"]["kind"] for each in kept] == ["container_lost"] * 2
    assert [event.error_kind for event in made.events if isinstance(event, EpisodeAgain)] == [
        "container_lost"
    ] * 2


@pytest.mark.parametrize(("fault", "most"), [(LOST, "infra"), (DOWN, "provider")])
async def test_no_more_tries_than_may_be(
    bench: MakeBench, fault: InfraFault | ProviderFault, most: str
) -> None:
    made = bench("a", retries={most: 1})
    made.executor.plays["a"] = [failing(fault)]
    await made.run()
    (entry,) = made.results
    assert (entry.tries, entry.error and entry.error.kind) == (2, fault.kind)
    assert not entry.counts


async def test_what_cannot_go_well_is_not_begun_again(bench: MakeBench) -> None:
    made = bench("a")
    made.executor.plays["a"] = [failing(InfraFault(FaultKind.IMAGE_UNAVAILABLE, "no image"))]
    await made.run()
    assert made.ran == [("a", 1, 1)]


async def test_a_failure_of_the_agent_is_a_result(bench: MakeBench) -> None:
    made = bench("a")
    made.executor.plays["a"] = [unresolved]
    await made.run()
    assert made.ran == [("a", 1, 1)]
    assert made.results[0].counts


async def test_what_would_end_every_episode_pauses_the_batch(bench: MakeBench) -> None:
    made = bench("a", "b", "c")
    made.executor.plays["a"] = [failing(NO_MONEY)]
    batch = await made.run(at_once=1)
    assert made.ran == [("a", 1, 1)]
    assert "402 Payment Required" in batch.paused
    assert sum(isinstance(event, Paused) for event in made.events) == 1


async def test_a_world_that_does_not_come_back_pauses_the_batch(bench: MakeBench) -> None:
    made = bench("a", "b")
    made.executor.plays["a"] = [failing(LOST)]
    made.executor.broken = InfraFault(FaultKind.ENGINE_UNAVAILABLE, "no engine")
    batch = await made.run(at_once=1)
    assert "no engine" in batch.paused
    assert made.ran == [("a", 1, 1)]
    assert made.results == []


async def test_the_batchs_own_limit_pauses_it(bench: MakeBench) -> None:
    async def forever(order: Order) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    made = bench("a", "b", limits={"batch_s": 0.05})
    made.executor.plays["a"] = [forever]
    batch = await made.run(at_once=1)
    assert "limits.batch_s" in batch.paused
    assert made.results == []


async def test_a_result_that_cannot_be_journalled_ends_the_batch(bench: MakeBench) -> None:
    made = bench("a", "b")

    def breaks(order: Order) -> Result:
        (made.path / "results.jsonl").unlink()
        (made.path / "results.jsonl").mkdir()
        return resolved(order)

    made.executor.plays["a"] = [breaks]
    with pytest.raises(InfraFault) as caught:
        await made.run(at_once=1)
    assert caught.value.kind == FaultKind.HOST_DISK_FULL
    assert made.ran == [("a", 1, 1)]


async def test_the_end_of_each_episode_is_told(bench: MakeBench) -> None:
    made = bench("a", "b")
    await made.run()
    ended = [event for event in made.events if isinstance(event, EpisodeEnded)]
    assert [(event.task_id, event.status) for event in ended] == [
        ("a", "resolved"), ("b", "resolved")
    ]  # fmt: skip
