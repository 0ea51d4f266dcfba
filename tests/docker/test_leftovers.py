"""What dead runs left is removed; what is alive, kept or somebody else's stays."""

import secrets
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from agent_runner.prepare import Prepared
from tools.workspace import labels
from tools.workspace.container import ContainerSpec, remove, start
from tools.workspace.engine import Engine
from tools.workspace.leftovers import containers, remove_run, sweep

pytestmark = pytest.mark.docker

Make = Callable[..., Coroutine[Any, Any, str]]


@pytest.fixture
async def make(
    engine: Engine, container_spec: ContainerSpec, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Make]:
    """Makes containers under a label of the test's own: live runs beside it are none of ours."""
    ids: list[str] = []
    monkeypatch.setattr(labels, "RUN", f"agent_runner.test.{secrets.token_hex(6)}")

    async def made(
        run: str, owner: labels.Owner, *, kept: bool = False, lease_s: float = 600
    ) -> str:
        given = labels.run_labels(run, "agent", lease_s=lease_s, kept=kept)
        spec = replace(container_spec, labels=given | {labels.OWNER: str(owner)})
        ids.append((await start(engine, spec)).id)
        return ids[-1]

    yield made
    for container_id in ids:
        await remove(engine, container_id)


@pytest.fixture
def dead() -> labels.Owner:
    """A process of this machine that has ended."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        owner = replace(labels.Owner.current(), pid=process.pid)
    return owner


ALIVE = labels.Owner.current()
ELSEWHERE = replace(ALIVE, machine="another-machine")


async def left(engine: Engine) -> set[str]:
    return {row.id for row in await containers(engine)}


async def test_container_of_a_dead_owner_is_swept(
    engine: Engine, make: Make, dead: labels.Owner
) -> None:
    gone = await make("a", dead)
    assert [row.id for row in await sweep(engine)] == [gone]
    assert await left(engine) == set()


async def test_live_kept_and_foreign_ones_stay(
    engine: Engine, make: Make, dead: labels.Owner
) -> None:
    stay = {await make("a", ALIVE), await make("b", dead, kept=True), await make("c", ELSEWHERE)}
    assert await sweep(engine) == []
    assert await left(engine) == stay


async def test_reused_process_id_is_no_owner(engine: Engine, make: Make) -> None:
    gone = await make("a", replace(ALIVE, started="1"))
    assert [row.id for row in await sweep(engine)] == [gone]


async def test_foreign_one_whose_lease_is_over_is_swept(engine: Engine, make: Make) -> None:
    gone = await make("a", ELSEWHERE, lease_s=-1)
    assert [row.id for row in await sweep(engine)] == [gone]


async def test_everything_takes_all_of_ours(engine: Engine, make: Make, dead: labels.Owner) -> None:
    made = {await make("a", ALIVE), await make("b", dead, kept=True), await make("c", ELSEWHERE)}
    assert {row.id for row in await sweep(engine, everything=True)} == made
    assert await left(engine) == set()


async def test_unlabelled_container_is_never_touched(
    engine: Engine, make: Make, container_spec: ContainerSpec
) -> None:
    """One of another label's world stands for one that is not ours at all."""
    other = await start(engine, container_spec)
    try:
        assert await sweep(engine, everything=True) == []
        assert await other.is_running()
    finally:
        await remove(engine, other.id)


async def test_end_of_a_run_removes_its_own_and_no_other(engine: Engine, make: Make) -> None:
    await make("a", ALIVE)
    kept, other = await make("a", ALIVE, kept=True), await make("b", ALIVE)
    await remove_run(engine, "a", keep=True)
    assert await left(engine) == {kept, other}
    await remove_run(engine, "a")
    assert await left(engine) == {other}


async def test_removal_does_not_wait_for_the_command(engine: Engine, make: Make) -> None:
    await make("a", ALIVE)
    started = time.monotonic()
    await remove_run(engine, "a")
    assert time.monotonic() - started < 3


async def test_container_somebody_starts_from_an_image_of_ours_is_not_ours(
    engine: Engine, prepared: Prepared
) -> None:
    body = {"Image": prepared.instance.tag, "Cmd": ["sleep", "600"]}
    other = await engine.docker.containers.create(body)
    try:
        assert other.id not in await left(engine)
    finally:
        await remove(engine, other.id)
