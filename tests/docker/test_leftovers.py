"""What dead runs left is removed; what is alive, kept or somebody else's stays."""

import asyncio
import secrets
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from agent_runner.prepare import Prepared
from tools.workspace import labels, leftovers
from tools.workspace.container import ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.leftovers import containers, remove_run, sweep
from tools.workspace.start import create, remove, start

pytestmark = pytest.mark.docker

Make = Callable[..., Coroutine[Any, Any, str]]


@pytest.fixture
def own_label(monkeypatch: pytest.MonkeyPatch) -> str:
    """A label of the test's own: live runs beside it are none of ours."""
    monkeypatch.setattr(labels, "RUN", f"agent_runner.test.{secrets.token_hex(6)}")
    return labels.RUN


@pytest.fixture
async def make(
    engine: Engine, container_spec: ContainerSpec, own_label: str
) -> AsyncIterator[Make]:
    """Makes containers under the test's own label; nobody talks to their PID 1."""
    ids: list[str] = []

    async def made(
        run: str, owner: labels.Owner, *, kept: bool = False, lease_s: float = 600,
        renewed: bool = False, started: bool = True,
    ) -> str:  # fmt: skip
        given = labels.run_labels(run, "agent", lease_s=lease_s, renewed=renewed, kept=kept)
        spec = replace(container_spec, init="", labels=given | {labels.OWNER: str(owner)})
        ids.append((await (start if started else create)(engine, spec)).id)
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


async def test_the_engines_clock_says_whether_a_lease_is_over(
    engine: Engine, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays = {
        await make("a", ELSEWHERE, lease_s=600),
        await make("b", ELSEWHERE, lease_s=600, renewed=True, started=False),
    }
    now_s = time.time()
    monkeypatch.setattr(time, "time", lambda: now_s + 10_000)
    assert await sweep(engine) == []
    assert await left(engine) == stays


async def test_foreign_one_that_renews_its_lease_lives_as_long_as_it_runs(
    engine: Engine, make: Make
) -> None:
    """One that is paused cannot renew anything: whoever paused it may want it back."""
    stay = {await make("a", ELSEWHERE, lease_s=0.1, renewed=True) for _ in range(2)}
    await engine.docker.containers.container(next(iter(stay))).pause()
    await asyncio.sleep(1.2)
    assert await sweep(engine) == []
    assert await left(engine) == stay


async def test_foreign_one_that_does_not_run_is_swept_a_lease_after_it_ended(
    engine: Engine, make: Make
) -> None:
    """Whether it was ended by its PID 1 or never started; for a while it may be about to start."""
    ended = await make("a", ELSEWHERE, lease_s=3, renewed=True)
    never = await make("b", ELSEWHERE, lease_s=3, renewed=True, started=False)
    stays = await make("c", ELSEWHERE, lease_s=600, renewed=True, started=False)
    assert await sweep(engine) == []
    await asyncio.sleep(2.5)
    await engine.docker.containers.container(ended).kill()
    await asyncio.sleep(1.7)
    assert [row.id for row in await sweep(engine)] == [never]
    await asyncio.sleep(2)
    assert [row.id for row in await sweep(engine)] == [ended]
    assert await left(engine) == {stays}


async def test_after_a_reboot_what_does_not_run_is_swept_at_once(
    engine: Engine, make: Make
) -> None:
    """What runs was made since, by another machine of the same name."""
    rebooted = replace(ALIVE, boot=f"00000000.{ALIVE.boot.partition('.')[2]}")
    gone = await make("a", rebooted, renewed=True, started=False)
    stays = await make("b", rebooted, renewed=True)
    assert [row.id for row in await sweep(engine)] == [gone]
    assert await left(engine) == {stays}


async def test_one_that_cannot_be_removed_keeps_none_of_the_others(
    engine: Engine, make: Make, dead: labels.Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, *others = [await make("a", dead) for _ in range(4)]

    async def refusing(engine: Engine, container_id: str) -> None:
        if container_id == stuck:
            raise InfraFault(FaultKind.ENGINE_UNAVAILABLE, "device or resource busy")
        await remove(engine, container_id)

    monkeypatch.setattr(leftovers, "remove", refusing)
    told: dict[str, bool] = {}
    gone = await sweep(engine, told=lambda row, fault: told.update({row.id: fault is None}))
    assert {row.id for row in gone} == set(others)
    assert told == dict.fromkeys(others, True) | {stuck: False}
    with pytest.raises(InfraFault, match="device or resource busy"):
        await sweep(engine)
    assert await left(engine) == {stuck}


async def test_one_that_hangs_is_given_up(
    engine: Engine, make: Make, dead: labels.Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make("a", dead)

    async def hanging(engine: Engine, container_id: str) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(leftovers, "remove", hanging)
    monkeypatch.setattr(leftovers, "REMOVAL_LIMIT_S", 0.1)
    with pytest.raises(InfraFault, match="is not over after"):
        await sweep(engine)


async def test_volumes_and_networks_are_swept_by_the_same_rule(
    engine: Engine, own_label: str, dead: labels.Owner
) -> None:
    made: dict[str, bool] = {}
    for owner in (dead, ALIVE, ELSEWHERE):
        given = labels.run_labels("a", "x", lease_s=600) | {labels.OWNER: str(owner)}
        name = f"agent_runner-test-{secrets.token_hex(6)}"
        volume = await engine.docker.volumes.create({"Name": name, "Labels": given})
        network = await engine.docker.networks.create({"Name": name, "Labels": given})
        made |= dict.fromkeys((volume.name, network.id), owner is dead)
    try:
        gone = {row.id for row in await sweep(engine)}
        assert gone == {name for name, is_dead in made.items() if is_dead}
    finally:
        rest = {row.id for row in await sweep(engine, everything=True)}
    assert rest == made.keys() - gone


async def test_everything_takes_all_of_ours(engine: Engine, make: Make, dead: labels.Owner) -> None:
    made = {await make("a", ALIVE), await make("b", dead, kept=True), await make("c", ELSEWHERE)}
    assert {row.id for row in await sweep(engine, everything=True)} == made
    assert await left(engine) == set()


async def test_unlabelled_container_is_never_touched(
    engine: Engine, make: Make, container_spec: ContainerSpec
) -> None:
    """One of another label's world stands for one that is not ours at all."""
    other = await start(engine, replace(container_spec, init=""))
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


async def test_what_is_cancelled_while_the_engine_makes_it_is_not_left(
    engine: Engine, container_spec: ContainerSpec, own_label: str
) -> None:
    given = labels.run_labels("run", "agent", lease_s=600)
    spec = replace(container_spec, init="", labels=given)
    began_s = time.monotonic()
    await remove(engine, (await create(engine, spec)).id)
    took_s = time.monotonic() - began_s
    for part in range(12):
        making = asyncio.create_task(create(engine, spec))
        await asyncio.sleep(took_s * part / 20)
        if making.cancel():
            with pytest.raises(asyncio.CancelledError):
                await making
        else:
            await remove(engine, making.result().id)
    assert await containers(engine) == []
