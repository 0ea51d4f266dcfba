"""What a machine bears of what was asked for."""

from pathlib import Path

import pytest

from agent_runner.batch.settings import BatchLimits, Local
from agent_runner.errors import UsageError
from agent_runner.executors.capacity import capacity_of
from tools.workspace.engine import EngineFacts

GIB = 1 << 30
MACHINE = EngineFacts("20.10", "overlay2", Path("/"), "host", cpus=2, memory_bytes=24 * GIB)


def test_what_fits_is_granted() -> None:
    capacity = capacity_of(MACHINE, Local(concurrency=8), BatchLimits(memory_mb=1024))
    assert (capacity.asked, capacity.episodes, capacity.containers) == (8, 8 + 8 + 4 + 8, 8)
    assert capacity.why == ""


def test_memory_bounds_the_containers_and_it_is_said() -> None:
    capacity = capacity_of(MACHINE, Local(concurrency=64), BatchLimits(memory_mb=4096))
    assert (capacity.asked, capacity.containers, capacity.gradings) == (64, 3, 2)
    assert "bear 3 containers of 4096 MB beside 2 gradings" in capacity.why


@pytest.mark.parametrize(("memory_mb", "ahead"), [(1024, 4), (2876, 1), (3200, 0)])
def test_while_some_work_others_are_graded_or_made_ready_where_there_is_room(
    memory_mb: int, ahead: int
) -> None:
    local = Local(concurrency=4, gradings=3)
    capacity = capacity_of(MACHINE, local, BatchLimits(memory_mb=memory_mb))
    assert (capacity.containers, capacity.episodes) == (4, 4 + 4 + 3 + 4)
    assert capacity.ahead == ahead
    used_mb = (capacity.containers + capacity.ahead + capacity.gradings) * memory_mb
    assert used_mb <= 23 * 1024


def test_cpus_bound_them_where_they_are_limited() -> None:
    limits = BatchLimits(memory_mb=256, cpus=0.5)
    assert capacity_of(MACHINE, Local(concurrency=64), limits).containers == 4


def test_nought_is_as_many_as_it_bears() -> None:
    capacity = capacity_of(MACHINE, Local(concurrency=0), BatchLimits(memory_mb=1024))
    assert capacity.containers == 23 - 4
    assert capacity.why == ""


def test_one_always_runs() -> None:
    capacity = capacity_of(MACHINE, Local(concurrency=1), BatchLimits(memory_mb=20_000))
    assert (capacity.containers, capacity.gradings) == (1, 1)


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (BatchLimits(memory_mb=30_000), "limits.memory_mb is 30000"),
        (BatchLimits(cpus=3), "limits.cpus is 3, and the engine's machine has 2"),
    ],
)
def test_more_than_the_machine_has_is_a_mistake(limits: BatchLimits, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        capacity_of(MACHINE, Local(), limits)
    assert says in str(caught.value)
