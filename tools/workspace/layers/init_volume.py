"""The init of agents' and graders' containers: compiled by the engine, kept in a volume there."""

import hashlib
import io
import tarfile
from pathlib import Path

from aiodocker.exceptions import DockerError
from aiodocker.volumes import DockerVolume
from filelock import AsyncFileLock

from tools.workspace import labels as label
from tools.workspace.build.builder import Builder
from tools.workspace.container import ContainerSpec
from tools.workspace.engine import Engine, Image, engine_errors
from tools.workspace.faults import InfraFault
from tools.workspace.start import MOUNTED, PROGRAM, create, remove

SOURCES = Path(__file__).resolve().parents[3] / "docker" / "init"
BUILD = "/build/init"
PREFIX = "agent_runner-init-"
COMPILE = "cc -std=gnu11 -D_GNU_SOURCE -static -O2 -Wall -Wextra -o init *.c"
# A base made from Debian's packages has no compiler; one from a registry has.
COMPILER = (
    "command -v cc >/dev/null || { apt-get -q update && "
    "apt-get -q install --yes --no-install-recommends gcc libc6-dev; }"
)


async def init_volume(builder: Builder, base: Image) -> str:
    """The name of the volume that holds init, made where it is missing.

    The binary is kept in the state directory by what determines it; the volume is filled once per
    engine and mounted read-only, which costs a start nothing and works with a remote engine too.

    Args:
        base: an image to compile in; it needs `cc` or Debian's `apt-get`.

    Raises:
        InfraFault: it cannot be compiled here, or the engine fails.
    """
    if builder.init:
        return builder.init
    engine = builder.engine
    key = _key(engine.architecture)
    name = f"{PREFIX}{key}"
    kept = builder.home / "init"
    if await _is_filled(engine, name, kept):
        return name
    kept.mkdir(parents=True, exist_ok=True)
    async with AsyncFileLock(kept / f"{key}.lock", poll_interval=0.05):
        if await _is_filled(engine, name, kept):
            return name
        binary = kept / key
        if not binary.exists():
            builder.report("compiling the init of containers (once)")
            _write(binary, await _compile(builder, base))
        made = await _make_volume(engine, name, key)
        await _fill(builder, base, name, binary.read_bytes())
        _write(_marker(kept, name), made.encode())
    return name


async def filled_volume(engine: Engine, home: Path) -> str:
    """The name of the volume where it is there already; "" otherwise.

    Raises:
        InfraFault: the engine fails.
    """
    name = f"{PREFIX}{_key(engine.architecture)}"
    return name if await _is_filled(engine, name, home / "init") else ""


async def stale_volumes(engine: Engine) -> list[str]:
    """Volumes with an init of other sources than today's.

    Raises:
        InfraFault: the engine fails.
    """
    async with engine_errors("listing init volumes"):
        found = await engine.docker.volumes.list(filters={"label": [f"{label.LAYER}=init"]})  # type: ignore[no-untyped-call]
    names = {row["Name"] for row in found["Volumes"] or ()}
    return sorted(names - {f"{PREFIX}{_key(engine.architecture)}"})


async def remove_volume(engine: Engine, name: str) -> bool:
    """Removes one; False where a container uses it.

    Raises:
        InfraFault: the engine fails.
    """
    async with engine_errors(f"removing volume {name}"):
        try:
            await DockerVolume(engine.docker, name).delete()  # type: ignore[no-untyped-call]
        except DockerError as error:
            if error.status == 409:
                return False
            if error.status != 404:
                raise
    return True


def _key(architecture: str) -> str:
    digest = hashlib.sha256(f"{COMPILE}\n{architecture}\n".encode())
    for file in sorted(SOURCES.glob("*.[ch]")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, for whoever looks meanwhile."""
    half = path.with_suffix(".part")
    half.write_bytes(content)
    half.replace(path)


def _marker(kept: Path, name: str) -> Path:
    return kept / f"{name}.volume"


async def _is_filled(engine: Engine, name: str, kept: Path) -> bool:
    """Whether the engine still has the very volume that was filled."""
    marker = _marker(kept, name)
    made = await _made_at(engine, name)
    return made is not None and marker.exists() and marker.read_text(encoding="utf-8") == made


async def _made_at(engine: Engine, name: str) -> str | None:
    async with engine_errors("looking for the init volume"):
        try:
            found = await engine.docker._query_json(f"volumes/{name}")
        except DockerError as error:
            if error.status == 404:
                return None
            raise
    return f"{found['CreatedAt']} {found['Mountpoint']} {engine.docker.docker_host}"


async def _make_volume(engine: Engine, name: str, key: str) -> str:
    labels = {label.LAYER: "init", label.KEY: key}
    async with engine_errors("making the init volume"):
        await engine.docker.volumes.create({"Name": name, "Labels": labels})  # type: ignore[no-untyped-call]
    made = await _made_at(engine, name)
    assert made is not None, "a volume just made is there"
    return made


async def _compile(builder: Builder, base: Image) -> bytes:
    sources = io.BytesIO()
    with tarfile.open(fileobj=sources, mode="w") as tar:
        for file in sorted(SOURCES.glob("*.[ch]")):
            tar.add(file, arcname=file.name)
    async with builder.container(base.id) as made:
        await made.unpack(BUILD, sources.getvalue())
        await made.step("installing a compiler", "/bin/sh", "-c", COMPILER)
        await made.step("compiling init", "/bin/sh", "-c", COMPILE, cwd=BUILD)
        return (await made.step("reading init", "cat", f"{BUILD}/init")).stdout


async def _fill(builder: Builder, base: Image, name: str, binary: bytes) -> None:
    """Through a container that is never started, unless the program is there already.

    Containers may be starting from the volume: a program that is there is not written again.
    """
    spec = ContainerSpec(
        base.id,
        label.run_labels(builder.run, "builder", lease_s=600),
        binds=(f"{name}:{MOUNTED}",),
    )
    filler = await create(builder.engine, spec)
    try:
        try:
            there = await filler.archive(PROGRAM)
        except InfraFault:
            there = b""
        if binary not in there:
            await filler.put({PROGRAM: binary}, mode=0o755)
    finally:
        await remove(builder.engine, filler.id)
