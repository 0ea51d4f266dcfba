"""The base image `swebench-lite:pyX.Y`: from a registry where one answers, else from Debian."""

import asyncio
import hashlib
import io
import tarfile
from dataclasses import dataclass

from filelock import AsyncFileLock

from tools.workspace import labels as label
from tools.workspace.build.builder import Builder
from tools.workspace.engine import Engine, Image, engine_errors
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.layers.debian_base import SCRIPTS, debian_base

REPOSITORY = "swebench-lite"
WANTED = "agent_runner.python_wanted"
PYTHON = "agent_runner.python"
REGISTRY_LIMIT_S = 20.0
BUILD_LIMIT_S = 900.0


@dataclass(frozen=True)
class Base:
    """A base image and the Python that is really inside."""

    image: Image
    python: str


async def find_base(engine: Engine, python: str) -> Base | None:
    """The base image for a Python, or the one that was built in its place.

    Where the wanted Python could not be had, the tag names the one that is inside; a label keeps
    what was wanted, so that it is found again and not built anew.
    """
    image = await engine.image(f"{REPOSITORY}:py{python}")
    if image is not None:
        return Base(image, python)
    # Every layer above inherits the label; only the base has the tag.
    inside = {image.labels[PYTHON] for image in await engine.images_with(f"{WANTED}={python}")}
    for other in sorted(inside - {python}):
        image = await engine.image(f"{REPOSITORY}:py{other}")
        if image is not None:
            return Base(image, other)
    return None


async def build_base(builder: Builder, python: str) -> Base:
    """Builds the base image, under the tag of the Python that is really inside.

    Raises:
        InfraFault: `image_unavailable`, where neither way is open here.
    """
    locks = builder.home / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    async with AsyncFileLock(locks / f"base-{python}.lock", poll_interval=0.1):
        found = await find_base(builder.engine, python)
        if found is not None:
            return found
        if await _registry_answers(builder, python):
            await _from_registry(builder, python)
        else:
            await _from_debian(builder, python)
        found = await find_base(builder.engine, python)
    if found is None:
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, f"the base image for {python} is not there")
    return found


def _labels(python: str, wanted: str) -> dict[str, str]:
    recipe = b"".join(file.read_bytes() for file in sorted(SCRIPTS.glob("*")) if file.is_file())
    key = hashlib.sha256(recipe + python.encode()).hexdigest()[:16]
    return {label.LAYER: "base", label.KEY: key, PYTHON: python, WANTED: wanted}


async def _registry_answers(builder: Builder, python: str) -> bool:
    builder.report(f"asking the registry for python:{python}")
    try:
        async with asyncio.timeout(REGISTRY_LIMIT_S), engine_errors("asking the registry"):
            await builder.engine.docker._query_json(f"distribution/python:{python}/json")
    except (TimeoutError, InfraFault):
        return False
    return True


async def _from_registry(builder: Builder, python: str) -> None:
    builder.report(f"building the base image from python:{python}")
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        tar.add(SCRIPTS / "base.Dockerfile", arcname="Dockerfile")
    context.seek(0)
    try:
        async with asyncio.timeout(BUILD_LIMIT_S), engine_errors("building the base image", None):
            await builder.engine.docker.images.build(
                fileobj=context,
                encoding="identity",
                tag=f"{REPOSITORY}:py{python}",
                buildargs={"PYTHON_VERSION": python},
                labels=_labels(python, python),
                rm=True,
                forcerm=True,
            )
    except TimeoutError as error:
        message = f"building the base image took longer than {BUILD_LIMIT_S:.0f} s"
        raise InfraFault(FaultKind.STAGE_TIMEOUT, message, retryable=True) from error


async def _from_debian(builder: Builder, python: str) -> None:
    async with debian_base(builder, python) as (made, inside):
        await builder.keep(made, f"{REPOSITORY}:py{inside}", _labels(inside, python))
