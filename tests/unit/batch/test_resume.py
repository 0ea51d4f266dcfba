"""A batch that was cut short goes on with what is missing, and with nothing else."""

import asyncio
import resource
from collections.abc import Awaitable
from pathlib import Path

import pytest
import yaml

from agent_runner.batch.begin import begin, configured, resume
from agent_runner.batch.directory import BatchDir
from agent_runner.batch.order import Order
from agent_runner.errors import FaultKind, InfraFault, UsageError
from agent_runner.result import Result, Status
from tests.unit.batch.conftest import MakeBench, failing, resolved, unresolved

LOST = InfraFault(FaultKind.CONTAINER_LOST, "the container is gone", retryable=True)


async def test_what_is_done_is_not_run_again(bench: MakeBench) -> None:
    made = bench("a", "b")
    made.executor.plays["b"] = [unresolved]
    await made.run()
    before = made.results
    await made.run()
    assert made.results == before
    assert len(made.ran) == 2


async def test_what_the_world_ended_is_run_again_in_place_of_its_line(bench: MakeBench) -> None:
    made = bench("a", "b", retries={"infra": 0})
    made.executor.plays["a"] = [failing(LOST), resolved]
    await made.run()
    await made.run()
    assert [(entry.task_id, entry.status, entry.tries) for entry in made.results] == [
        ("b", "resolved", 1), ("a", "resolved", 2)
    ]  # fmt: skip
    assert [entry.status for entry in BatchDir(made.path).tries.read()] == ["infra_error"]
    assert (made.path / "tries" / "a.1.1" / "result.json").exists()


async def test_failures_of_the_agent_are_run_again_only_if_asked(bench: MakeBench) -> None:
    made = bench("a", "b")
    made.executor.plays["a"] = [unresolved, resolved]
    await made.run()
    await made.run(frozenset({"unresolved"}))
    assert made.ran[2:] == [("a", 1, 2)]
    assert {entry.status for entry in made.results} == {Status.RESOLVED}


async def test_only_what_is_asked_for_is_run(bench: MakeBench) -> None:
    made = bench("a", "b", retries={"infra": 0})
    made.executor.plays["a"] = [failing(LOST)]
    plan = made.plan()
    assert plan.episodes
    await made.run(frozenset({"infra_error"}))
    assert made.ran == []


async def test_an_episode_that_was_interrupted_begins_again(bench: MakeBench) -> None:
    made = bench("a")

    at_work = asyncio.Event()

    def begins(order: Order) -> Awaitable[Result]:
        Path(order.directory).mkdir()
        (Path(order.directory) / "trajectory.jsonl").write_text("half a line")
        at_work.set()
        return asyncio.get_running_loop().create_future()

    made.executor.plays["a"] = [begins, resolved]
    running = asyncio.create_task(made.run())
    await at_work.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert made.results == []
    await made.run()
    assert [entry.status for entry in made.results] == [Status.RESOLVED]
    assert (made.path / "tries" / "a.1.1" / "trajectory.jsonl").read_text() == "half a line"


async def test_a_result_that_was_written_and_not_journalled_is_not_lost(bench: MakeBench) -> None:
    made = bench("a", "b")
    await made.run()
    before = {entry.key: entry for entry in made.results}
    journal = BatchDir(made.path).results
    journal.replace([before["b", 1]])
    await made.run()
    after = {entry.key: entry for entry in made.results}
    assert len(made.ran) == 2
    assert after.keys() == before.keys()
    assert after["a", 1].episode == before["a", 1].episode != ""


async def test_a_torn_last_line_is_cut_and_its_episode_not_lost(bench: MakeBench) -> None:
    made = bench("a", "b")
    await made.run()
    path = made.path / "results.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:40])
    assert [entry.task_id for entry in made.results] == ["a"]
    await made.run()
    assert sorted(entry.task_id for entry in made.results) == ["a", "b"]
    assert path.read_bytes().endswith(b"\n")


def test_a_full_disk_leaves_the_journal_whole(bench: MakeBench) -> None:
    made = bench("a")
    asyncio.run(made.run())
    (entry,) = made.results
    path = made.path / "results.jsonl"
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, hard))
    try:
        with pytest.raises(OSError, match="10 of"):
            BatchDir(made.path).results.append(entry)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before


def test_a_line_that_is_not_ours_is_named(bench: MakeBench) -> None:
    made = bench("a")
    made.plan()
    (made.path / "results.jsonl").write_text('{"task_id": "a"}\n')
    with pytest.raises(UsageError, match=r"results\.jsonl, line 1"):
        made.results  # noqa: B018


async def test_tasks_of_one_slug_have_directories_of_their_own(bench: MakeBench) -> None:
    made = bench("x/y", "x y")
    await made.run()
    assert sorted(path.name for path in (made.path / "episodes").iterdir()) == ["x-y-2.1", "x-y.1"]
    assert len(made.results) == 2


SEEDS = "tasks: {source: {type: seeds}, include: [span*]}\nsolver: none\n"


def begun(path: Path) -> Path:

    begin(configured([yaml.safe_load(SEEDS)]), "seeds", path)
    return path


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"attempts": 2}, "attempts: 1 -> 2"),
        ({"tasks": {"limit": 1}}, "tasks.limit: null -> 1"),
        ({"solver": "gold"}, 'solver: "none" -> "gold"'),
        ({"termination": {"max_turns": 3}}, "termination.max_turns: 50 -> 3"),
        ({"tools": ["docker_sh"]}, "tools:"),
    ],
)
def test_another_batch_is_refused_and_the_difference_shown(
    tmp_path: Path, change: dict[str, object], says: str
) -> None:
    path = begun(tmp_path / "b")
    with pytest.raises(UsageError) as caught:
        resume(path, [change])
    assert says in str(caught.value)


def test_limits_concurrency_and_retries_may_change_and_are_told(tmp_path: Path) -> None:
    path = begun(tmp_path / "b")
    change = {"limits": {"tests_s": 9}, "executor": {"concurrency": 3}, "retries": {"infra": 9}}
    plan, changed = resume(path, [change])
    assert plan.config.limits.tests_s == 9
    assert "limits.tests_s: 5.0 -> 9.0" in changed
    assert "executor.concurrency: 0 -> 3" in changed
    again, nothing = resume(path, [])
    assert (again.config, nothing) == (plan.config, [])


def test_what_is_no_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no batch"):
        resume(tmp_path, [])
