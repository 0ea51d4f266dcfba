"""A base image where no registry answers: Debian's packages, and on them a Python of this machine.

The packages are a layer of their own, which the images of all Pythons stand on.
"""

import asyncio
import hashlib
import os
import platform
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.workspace import labels as label
from tools.workspace.build.build_container import BuildContainer
from tools.workspace.build.builder import Builder
from tools.workspace.engine import Image
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.leash import leash
from tools.workspace.scratch import scratch

SCRIPTS = Path(__file__).resolve().parents[3] / "docker"
SYSTEM = "system"
LIMIT_S = 900.0
DEBIAN_PYTHON = "/usr"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The latter as wheels, where this Python has them: an old or a very new one may have none.
PACKAGES, HEAVY = ("pip", "pytest"), ("numpy", "pandas")
INSTALL = (
    "uv", "pip", "install", "-q", "--no-config", "--break-system-packages",
    "--python", "/usr/local/bin/python3",
)  # fmt: skip
NONE_FITS = 1  # uv's exit code for: no versions do


@dataclass(frozen=True)
class _Found:
    """A Python for the image.

    Attributes:
        directory: of a CPython of this machine; "" for Debian's own.
        packages: Debian's that it wants.
    """

    directory: str
    packages: tuple[str, ...]


@asynccontextmanager
async def debian_base(builder: Builder, python: str) -> AsyncIterator[tuple[BuildContainer, str]]:
    """A container that is a base image but for its name, and the Python that is really inside.

    Raises:
        InfraFault: `image_unavailable`, where that way is not open here; `index_unreachable`,
            `host_disk_full`, `stage_timeout`.
    """
    builder.report("no registry answers: building the base image from Debian's packages")
    directory, *packages = (await _script(builder, "python.sh", "find", python)).split("\n")
    found = _Found(directory, tuple(filter(None, packages)))
    system = await _system(builder, found.packages)
    async with builder.container(system.id) as made:
        if found.directory:
            builder.report(f"copying {found.directory}")
            await _copy(builder, made, found.directory)
        inside = await _install(builder, made, found.directory or DEBIAN_PYTHON)
        yield made, inside


async def _system(builder: Builder, packages: tuple[str, ...]) -> Image:
    """The layer of packages, made where it is missing."""
    suite = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    recipe = (SCRIPTS / "rootfs.sh").read_text(encoding="utf-8")
    key = hashlib.sha256("\n".join((recipe, suite, *packages)).encode()).hexdigest()[:16]
    tag = f"agent_runner/{SYSTEM}:{suite or 'unknown'}-{key}"
    async with builder.locked(key):
        image = await builder.engine.image(tag)
        if image is None:
            with scratch() as own:
                tar = own / "rootfs.tar"
                await _script(builder, "rootfs.sh", str(tar), *packages)
                builder.report("importing Debian's packages")
                labels = {label.LAYER: SYSTEM, label.KEY: key}
                with tar.open("rb") as archive:
                    await builder.engine.import_rootfs(archive, tag, labels, {"PATH": PATH})
            image = await builder.engine.image(tag)
    if image is None:
        message = f"{tag} was removed as soon as it was built"
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message, retryable=True)
    return image


async def _copy(builder: Builder, made: BuildContainer, directory: str) -> None:
    with scratch() as own:
        tar = own / "python.tar"
        await _script(builder, "python.sh", "pack", directory, str(tar))
        # Not by the engine's own copying: that leaves the places of mounts in the layer.
        await made.unpack("/", await asyncio.to_thread(tar.read_bytes))


async def _install(builder: Builder, made: BuildContainer, directory: str) -> str:
    script = (SCRIPTS / "base.sh").read_bytes()
    inside = await _in(made, "linking the Python", script, "link", directory)
    builder.report(f"installing {' '.join((*PACKAGES, *HEAVY))} for Python {inside}")
    await made.step("installing the base image's packages", *INSTALL, *PACKAGES)
    done = await made.attempt(*INSTALL, "--only-binary", ":all:", *HEAVY)
    if done.exit_code == NONE_FITS:
        builder.report(f"without {' '.join(HEAVY)}: no wheels for Python {inside}")
    elif not done.ok:
        await made.step("installing the base image's packages", *INSTALL, *HEAVY)
    await _in(made, "finishing the base image", script, "finish", directory)
    return inside


async def _in(made: BuildContainer, what: str, script: bytes, *argv: str) -> str:
    done = await made.step(what, "/bin/bash", "-s", *argv, stdin=script)
    return done.stdout.decode().strip()


async def _script(builder: Builder, name: str, *argv: str) -> str:
    """Runs one of `docker/` on this machine and returns what it says on stdout.

    Raises:
        InfraFault: `image_unavailable`, `stage_timeout`.
    """
    process = await asyncio.create_subprocess_exec(
        *leash(), str(SCRIPTS / name), *argv, env=_environ(builder.environ),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LIMIT_S):
            out, err = await process.communicate()
    except TimeoutError as error:
        message = f"docker/{name} took longer than {LIMIT_S:.0f} s"
        raise InfraFault(FaultKind.STAGE_TIMEOUT, message, retryable=True) from error
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)
            await process.wait()
    if process.returncode != 0:
        message = f"the base image cannot be built here: {err.decode(errors='replace')[-500:]}"
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message.strip())
    return out.decode()


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    return {**environ, "UV_BIN": str(Path(sys.executable).parent / "uv")}
