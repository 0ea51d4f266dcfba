"""What runs that died left in the engine: found by label, removed; what is alive stays."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aiodocker.exceptions import DockerError
from aiodocker.networks import DockerNetwork
from aiodocker.volumes import DockerVolume

from tools.workspace import labels as label
from tools.workspace.engine import Engine, engine_errors
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.start import remove

# More at once gain nothing: the engine takes its own locks.
AT_ONCE = 8
# A container whose processes hang in the kernel cannot be removed; nobody waits for it for ever.
REMOVAL_LIMIT_S = 60.0

Kind = Literal["container", "volume", "network"]
KINDS: tuple[Kind, ...] = ("container", "network", "volume")


@dataclass(frozen=True)
class Labelled:
    """A container of ours, or a volume or network; an `id` of a volume is its name."""

    id: str
    run: str
    role: str
    kept: bool
    running: bool
    leftover: bool
    kind: Kind = "container"


# Told of each thing once it is gone, or with what kept it from going.
Told = Callable[[Labelled, InfraFault | None], None]


def outcome(row: Labelled, fault: InfraFault | None) -> str:
    """What was told, as a line for a person."""
    what = f"{row.role} {row.kind} {row.id[:12]} of run {row.run}"
    return f"not removed: {what}: {fault.message}" if fault else f"removed {what}"


async def containers(engine: Engine, run: str | None = None) -> list[Labelled]:
    """Every container of ours, or of one run."""
    return await _listed(engine, "container", run)


async def sweep(
    engine: Engine, *, everything: bool = False, told: Told | None = None
) -> list[Labelled]:
    """Removes what is ours and dead, or everything of ours, and returns what it removed.

    Args:
        told: see `remove_all`.

    Raises:
        InfraFault: the engine cannot be asked, or see `remove_all`.
    """
    found = await everything_of(engine)
    return await remove_all(engine, [row for row in found if everything or row.leftover], told)


async def remove_run(engine: Engine, run: str, *, keep: bool = False) -> None:
    """Removes what a run of this process may have left, containers half made included."""
    found = await everything_of(engine, run)
    await remove_all(engine, [row for row in found if not (keep and row.kept)])


async def everything_of(engine: Engine, run: str | None = None) -> list[Labelled]:
    """Whatever is ours, or of one run: containers first, for they hold the others."""
    found = await asyncio.gather(*(_listed(engine, kind, run) for kind in KINDS))
    return [row for rows in found for row in rows]


async def remove_all(
    engine: Engine, rows: Iterable[Labelled], told: Told | None = None
) -> list[Labelled]:
    """Removes some at a time; one that cannot be removed keeps none of the others.

    Args:
        told: told of each; without it the first fault is raised once all the others are done.

    Raises:
        InfraFault: one could not be removed, and nobody is told.
    """
    gone: list[Labelled] = []
    faults: list[InfraFault] = []
    places = asyncio.Semaphore(AT_ONCE)

    async def one(row: Labelled) -> None:
        fault = None
        async with places:
            try:
                await _remove(engine, row)
                gone.append(row)
            except InfraFault as error:
                fault = error
                faults.append(error)
        if told:
            told(row, fault)

    waiting = list(rows)
    for kind in KINDS:
        async with asyncio.TaskGroup() as group:
            for row in waiting:
                if row.kind == kind:
                    group.create_task(one(row))
    if faults and not told:
        raise faults[0]
    return gone


async def _remove(engine: Engine, row: Labelled) -> None:
    what = f"removing {row.kind} {row.id[:12]} of run {row.run}"
    try:
        async with asyncio.timeout(REMOVAL_LIMIT_S):
            if row.kind == "container":
                await remove(engine, row.id)
                return
            kind = DockerNetwork if row.kind == "network" else DockerVolume
            async with engine_errors(what):
                try:
                    await kind(engine.docker, row.id).delete()
                except DockerError as error:
                    if error.status != 404:
                        raise
    except TimeoutError as error:
        message = f"{what} is not over after {REMOVAL_LIMIT_S:.0f} s"
        raise InfraFault(FaultKind.ENGINE_UNAVAILABLE, message, retryable=True) from error


async def _listed(engine: Engine, kind: Kind, run: str | None) -> list[Labelled]:
    wanted = label.RUN if run is None else f"{label.RUN}={run}"
    found = await _asked(engine, kind, {"label": [wanted]})
    # An empty run: started by hand from an image of ours, so not ours.
    ours = [thing for thing in found if thing.labels[label.RUN]]
    left = await _left(engine, ours)
    return [
        Labelled(
            id=thing.id,
            run=thing.labels[label.RUN],
            role=thing.labels.get(label.ROLE, ""),
            kept=bool(thing.labels.get(label.KEPT)),
            running=thing.state == "running",
            leftover=leftover,
            kind=kind,
        )
        for thing, leftover in zip(ours, left, strict=True)
    ]


@dataclass(frozen=True)
class _Thing:
    """What the engine lists; `created_s` by its own clock, and no state but a container's."""

    id: str
    labels: Mapping[str, str]
    state: str = ""
    created_s: float = 0.0


async def _asked(engine: Engine, kind: Kind, filters: Mapping[str, list[str]]) -> list[_Thing]:
    async with engine_errors(f"listing {kind}s"):
        if kind == "container":
            rows = await engine.docker.containers.list(all=True, filters=json.dumps(filters))
            return [_Thing(row.id, row["Labels"], row["State"], row["Created"]) for row in rows]
        if kind == "network":
            networks = await engine.docker.networks.list(filters=filters)
            return [_Thing(row["Id"], row["Labels"]) for row in networks]
        volumes = await engine.docker.volumes.list(filters=filters)  # type: ignore[no-untyped-call]
        return [_Thing(row["Name"], row["Labels"]) for row in volumes["Volumes"] or ()]


async def _left(engine: Engine, things: list[_Thing]) -> list[bool]:
    """Which are dead. The engine is asked for more only where the owner cannot be seen."""
    dead = [
        label.owner_is_dead(thing.labels, ended_here=engine.is_local and thing.state in label.OVER)
        for thing in things
    ]
    if None not in dead:
        return [bool(each) for each in dead]
    async with engine_errors("asking the engine for the time"):
        now_s = _seconds((await engine.docker.system.info())["SystemTime"])
    return [
        await _is_over(engine, thing, now_s) if each is None else each
        for thing, each in zip(things, dead, strict=True)
    ]


async def _is_over(engine: Engine, thing: _Thing, now_s: float) -> bool:
    since_s = thing.created_s
    if thing.state in label.OVER and thing.labels.get(label.LEASE_S):
        async with engine_errors("inspecting a container"):
            try:
                shown = await engine.docker.containers.container(thing.id).show()
            except DockerError as error:
                if error.status == 404:
                    return False  # gone by now
                raise
        since_s = max(since_s, _seconds(shown["State"]["FinishedAt"]))
    return label.lease_is_over(thing.labels, thing.state, since_s, now_s)


def _seconds(stamp: str) -> float:
    """The engine's way to write a time; year 1 stands for never."""
    return datetime.fromisoformat(stamp).timestamp()
