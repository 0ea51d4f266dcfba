"""Containers begun and ended."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from aiodocker.exceptions import DockerError
from aiodocker.types import JSONValue

from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine, engine_errors
from tools.workspace.faults import InfraFault

# What package installs and test suites need; nothing else of root's power is left.
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID", "KILL")
# As PID 1 it reaps, and no signal from inside ends it, `kill -9 -1` included; under `--init` that
# would end the container. From outside it is removed by force, which waits for nothing.
IDLE = ("/bin/sh", "-c", "while :; do sleep 86400 & wait; done")

# Where an answer is lost a name is asked for again after a second; five is what systems wait.
IMPATIENT = ("timeout:1", "attempts:5")

# Where init is mounted: a file system in memory that every container has, so no layer gets even an
# empty directory.
MOUNTED = "/dev/agent_runner"
PROGRAM = f"{MOUNTED}/init"


def _create_body(spec: ContainerSpec) -> Mapping[str, JSONValue]:
    host: dict[str, JSONValue] = {
        "NetworkMode": spec.network,
        "DnsOptions": list(IMPATIENT) if spec.network != "none" else [],
        "Init": False,
        "Memory": spec.limits.memory_bytes,
        "MemorySwap": spec.limits.memory_bytes,
        "NanoCpus": int((spec.limits.cpus or 0) * 1e9),
        "PidsLimit": spec.limits.pids,
        "LogConfig": {"Type": "none"},
        "Binds": [*spec.binds, *([f"{spec.init}:{MOUNTED}:ro"] if spec.init else [])],
        "Tmpfs": {path: "rw,exec" for path in spec.tmpfs},
    }
    if spec.hardened:
        host["CapDrop"] = ["ALL"]
        host["CapAdd"] = list(CAPABILITIES)
        host["SecurityOpt"] = ["no-new-privileges"]
    return {
        "Image": spec.image,
        "Entrypoint": [],
        "Cmd": [PROGRAM, str(round(spec.lease_s * 1000))] if spec.init else list(IDLE),
        "OpenStdin": bool(spec.init),
        "Env": [f"{name}={value}" for name, value in spec.env.items()],
        "Labels": dict(spec.labels),
        "WorkingDir": "/",
        "HostConfig": host,
    }


@asynccontextmanager
async def running(engine: Engine, spec: ContainerSpec) -> AsyncIterator[Container]:
    """A started container, removed at the end whatever happens.

    Raises:
        InfraFault: `image_unavailable` where the image is gone, `engine_unavailable` otherwise.
    """
    container = await start(engine, spec)
    try:
        yield container
    finally:
        await discard(engine, container)


async def start(engine: Engine, spec: ContainerSpec) -> Container:
    """Creates and starts a container that nobody removes but the caller (or `clean`)."""
    created = await create(engine, spec)
    try:
        await created.start()
    except BaseException:
        await discard(engine, created)
        raise
    return created


async def create(engine: Engine, spec: ContainerSpec) -> Container:
    """Creates a container without starting it; none where that is cancelled."""
    making = asyncio.create_task(_create(engine, spec))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        # The engine makes it all the same, and nobody else would know of it.
        with suppress(InfraFault):
            await discard(engine, await making)
        raise


async def _create(engine: Engine, spec: ContainerSpec) -> Container:
    async with engine_errors(f"creating a container of image {spec.image}"):
        created = await engine.docker.containers.create(_create_body(spec))
    return Container(created, spec)


async def discard(engine: Engine, container: Container) -> None:
    """Lets go of a container and removes it, at the end of its use.

    An engine that fails now must not hide how the use ended; what stays is found by its label.
    """
    with suppress(InfraFault):
        await container.close()
        await remove(engine, container.id)


async def remove(engine: Engine, container_id: str) -> None:
    """Removes a container at once; one that is gone already is no error."""
    async with engine_errors("removing a container"):
        try:
            await engine.docker.containers.container(container_id).delete(force=True, v=True)
        except DockerError as error:
            # 409: somebody else is removing it this moment.
            if error.status not in {404, 409}:
                raise
