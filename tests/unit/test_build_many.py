"""Many tasks at a time: the failure of one keeps none of the others."""

import asyncio
from pathlib import Path

import pytest

from agent_runner.errors import FaultKind, InfraFault, UsageError
from agent_runner.grading.attempt import InvalidTask
from agent_runner.images.build_many import (
    MEMORY_EACH_BYTES,
    Outcome,
    Progress,
    build_many,
    spread,
    workers_for,
)
from agent_runner.observer import Observer
from agent_runner.task import Located, Task
from tools.workspace.engine import EngineFacts, Image
from tools.workspace.layers.instance import Instance

FAULTS = {
    "full": InfraFault(FaultKind.HOST_DISK_FULL, "no\nroom"),
    "ref": UsageError("no such ref"),
    "task": InvalidTask("does not apply"),
    "bug": ZeroDivisionError("by nothing"),
}


def located(task_id: str, source: str = "r") -> Located:
    return Located(Task(task_id=task_id, repo=source), source)


def facts(cpus: int, memory_bytes: int) -> EngineFacts:
    return EngineFacts("1", "overlay2", Path("/"), "h", cpus, memory_bytes)


async def made(tasks: list[Located], workers: int = 2) -> tuple[list[Outcome], int, list[str]]:
    """The outcomes, how many ran at once at most, and the ids in the order they were told."""
    running, most, told = 0, 0, []

    async def make(one: Located, observer: Observer) -> Instance:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        name = one.task.task_id
        observer.step("at work")
        if name in FAULTS:
            raise FAULTS[name]
        return Instance(f"tag-{name}", "k", Image("i", {}, 1, ()), built=name.startswith("new"))

    progress = Progress(lambda name, text: None, lambda one: told.append(one.task_id))
    return await build_many(tasks, make, workers, progress), most, told


async def test_outcomes_come_in_the_order_of_the_tasks() -> None:
    tasks = [located("new1"), located("full"), located("old"), located("ref"), located("new2")]
    outcomes, most, told = await made(tasks)
    assert [one.task_id for one in outcomes] == [one.task.task_id for one in tasks]
    assert [one.state for one in outcomes] == ["built", "failed", "there", "failed", "built"]
    assert most == 2
    assert sorted(told) == sorted(one.task.task_id for one in tasks)


async def test_every_failure_has_its_kind_and_one_line() -> None:
    outcomes, _, _ = await made([located(name) for name in FAULTS])
    assert [(one.kind, one.message) for one in outcomes] == [
        ("host_disk_full", "no room"),
        ("usage", "no such ref"),
        ("invalid_task", "does not apply"),
        ("internal", "ZeroDivisionError: by nothing"),
    ]
    assert [bool(one.trace) for one in outcomes] == [False, False, False, True]


def test_the_first_of_each_repository_goes_first() -> None:
    tasks = [located("a1", "a"), located("a2", "a"), located("b1", "b"), located("a3", "a")]
    assert [one.task.task_id for one in spread(tasks)] == ["a1", "b1", "a2", "a3"]


@pytest.mark.parametrize(
    ("cpus", "memory_bytes", "expected"),
    [(8, 100 * MEMORY_EACH_BYTES, 8), (8, 3 * MEMORY_EACH_BYTES, 3), (2, 1, 1)],
)
def test_workers_fit_cpus_and_memory(cpus: int, memory_bytes: int, expected: int) -> None:
    assert workers_for(facts(cpus, memory_bytes)) == expected
