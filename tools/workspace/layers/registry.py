"""Images as a registry has them: resolved to a digest first, pulled by it, never emulated."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiodocker.exceptions import DockerError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from tools.workspace.engine import Engine, Image, engine_errors
from tools.workspace.faults import FaultKind, InfraFault

TRIES = 5
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
# A registry says which image it has within seconds, or it hangs.
ANSWER_LIMIT_S = 20.0
# What the engine passes on of a registry that will never give the image, whatever the status.
FINAL = ("manifest unknown", "not found", "access denied", "unauthorized", "denied:", "invalid ref",
         "no such image", "does not exist")  # fmt: skip

Report = Callable[[str], None]


@dataclass(frozen=True)
class Remote:
    """An image in a registry.

    Attributes:
        name: as it was asked for, with its tag.
        digest: `repository@sha256:...`, what is pulled and recorded.
        architectures: what the registry has it for, as `os/architecture`.
    """

    name: str
    digest: str
    architectures: tuple[str, ...]


async def resolve(engine: Engine, name: str, report: Report, *, within_s: float) -> Remote:
    """Asks the registry for an image's digest; nothing is pulled.

    Raises:
        InfraFault: `image_unavailable` where it has none for this engine's architecture, or does
            not answer; `stage_timeout` where that takes longer than `within_s`.
    """
    found = await _persist(
        lambda: _asked(engine, name), f"asking the registry for {name}", report, within_s
    )
    repository = name.partition("@")[0]
    if ":" in repository.rpartition("/")[2]:
        repository = repository.rpartition(":")[0]
    kinds = {
        f"{entry.get('os', '')}/{entry.get('architecture', '')}"
        for entry in found.get("Platforms") or ()
    }
    digest = str(found["Descriptor"]["digest"])
    remote = Remote(name, f"{repository}@{digest}", tuple(sorted(kinds)))
    own = f"linux/{engine.architecture}"
    if own not in remote.architectures:
        had = ", ".join(remote.architectures) or "none that it names"
        message = f"{name} is published for {had}, this engine runs {own}; it is not emulated"
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message)
    return remote


async def pull(engine: Engine, remote: Remote, report: Report, *, within_s: float) -> Image:
    """The image under exactly that digest, pulled where the engine does not have it.

    Raises:
        InfraFault: as `resolve`; `host_disk_full`.
    """
    image = await engine.image(remote.digest)
    if image is None:
        what = f"pulling {remote.name}"
        report(what)
        await _persist(lambda: _pulled(engine, remote), what, report, within_s)
        image = await engine.image(remote.digest)
    if image is None:
        message = f"{remote.digest} was removed as soon as it was pulled"
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message, retryable=True)
    return image


async def _asked(engine: Engine, name: str) -> Any:
    async with asyncio.timeout(ANSWER_LIMIT_S):
        return await engine.docker._query_json(f"distribution/{name}/json")


async def _pulled(engine: Engine, remote: Remote) -> Any:
    return await engine.docker.images.pull(remote.digest, timeout=None)


async def _persist(
    attempt: Callable[[], Awaitable[Any]], what: str, report: Report, within_s: float
) -> Any:
    """Tries again what may pass: a registry that is busy, away or broken for a moment."""

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        report(f"{what}: {_said(error)}; trying again")

    trying = AsyncRetrying(
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(multiplier=FIRST_WAIT_S, max=LONGEST_WAIT_S)
        + wait_random(0, FIRST_WAIT_S),
        retry=retry_if_exception(_may_pass),
        before_sleep=tell,
        reraise=True,
    )
    try:
        async with asyncio.timeout(within_s) as clock:
            async for each in trying:
                with each:
                    return await attempt()
    except TimeoutError as error:
        if clock.expired():
            message = f"{what} took longer than {within_s:g} s (limits.pull_s)"
            raise InfraFault(FaultKind.STAGE_TIMEOUT, message, retryable=True) from error
        message = f"{what}: the registry does not answer"
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message, retryable=True) from error
    except DockerError as error:
        if "no space left on device" in str(error.message).lower():
            async with engine_errors(what):
                raise
        passing = _may_pass(error)
        message = f"{what}: {_said(error)}"
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message, retryable=passing) from error
    except (aiohttp.ClientError, ConnectionError):
        async with engine_errors(what):
            raise


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, TimeoutError):
        return True
    if not isinstance(error, DockerError):
        return False
    said = str(error.message).lower()
    if "no space left on device" in said:
        return False
    return not any(sign in said for sign in FINAL)


def _said(error: BaseException | None) -> str:
    if isinstance(error, DockerError):
        return str(error.message).strip()[-300:]
    return "no answer" if isinstance(error, TimeoutError) else str(error)
