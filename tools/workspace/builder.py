"""Where layers are built: containers with the package index open, which no agent ever gets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import AsyncFileLock

from tools.workspace import labels as label
from tools.workspace.channel import Command, Execution
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine, Image
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.limits import Limits
from tools.workspace.start import discard, running, start

LEASE_S = 3600.0
CRASHED = 128 + 11
CERTIFICATES = "/build/ca.crt"
# Where Debian, Fedora and Alpine keep the certificates they trust.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
# Below /dev, which is in memory: of a mount elsewhere a layer would keep the empty directory.
CACHE = "/dev/agent_runner_packages"
CACHE_IN_MEMORY = "/build/packages"
PASSED_ON = (
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "PIP_INDEX_URL",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
# What uv and pip say when the index itself cannot be reached, rather than a package built.
UNREACHABLE = (
    "error sending request",
    "failed to fetch",
    "dns error",
    "connection refused",
    "network is unreachable",
    "temporary failure in name resolution",
    "operation timed out",
)

Report = Callable[[str], None]


@dataclass(frozen=True)
class Builder:
    """For whom layers are built, and with what of the host.

    Attributes:
        environ: the host's variables: index, proxies and certificates are taken from there.
        home: the state directory; its package cache is mounted while building, never later.
        report: told what is being done, for a person who waits.
        timeout_s: for one step.
        leaving: containers that are being removed beside what comes next; None: nothing does.
    """

    engine: Engine
    run: str
    home: Path
    environ: Mapping[str, str]
    report: Report
    timeout_s: float = 900.0
    leaving: list[asyncio.Task[None]] | None = None

    @asynccontextmanager
    async def leaving_behind(self) -> AsyncIterator["Builder"]:
        """The same builder; it waits for the end of its containers at the end of the block only."""
        leaving: list[asyncio.Task[None]] = []
        try:
            yield replace(self, leaving=leaving)
        finally:
            await asyncio.gather(*leaving)

    @asynccontextmanager
    async def running(self, spec: ContainerSpec) -> AsyncIterator[Container]:
        """A started container, which goes with the block or beside what comes next."""
        if self.leaving is None:
            async with running(self.engine, spec) as container:
                yield container
            return
        container = await start(self.engine, spec)
        try:
            yield container
        finally:
            self.leaving.append(asyncio.create_task(discard(self.engine, container)))

    @asynccontextmanager
    async def container(self, image: str) -> AsyncIterator["BuildContainer"]:
        """A container of the image with the index open; `/build` and `/tmp` are in memory."""
        async with self.running(self._spec(image)) as container:
            # Given to each step: an image keeps what its container has in its environment.
            built = BuildContainer(container, self.timeout_s, self._env())
            if self._certificates:
                await built.put_in_memory(CERTIFICATES, _bytes_of(self._certificates))
            yield built

    @asynccontextmanager
    async def locked(self, key: str) -> AsyncIterator[None]:
        """Held by one builder of a layer at a time, over processes."""
        locks = self.home / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        async with AsyncFileLock(locks / f"{key}.lock", poll_interval=0.1):
            yield

    async def keep(self, made: "BuildContainer", tag: str, labels: Mapping[str, str]) -> Image:
        """Makes the layer of what a container is now.

        Unless somebody did so meanwhile: another state directory, or a commit outliving its run. A
        second image under the tag would leave the first without a name, in nobody's reach.

        Raises:
            InfraFault: `image_unavailable`, where somebody removes it at once.
        """
        if await self.engine.image(tag) is None:
            await made.container.commit(tag, labels)
        image = await self.engine.image(tag)
        if image is None:
            message = f"{tag} was removed as soon as it was built"
            raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message, retryable=True)
        return image

    @property
    def _certificates(self) -> str:
        """What this machine trusts, so that the same proxies and mirrors work in a container."""
        named = self.environ.get("SSL_CERT_FILE") or self.environ.get("PIP_CERT")
        return named or next((path for path in BUNDLES if Path(path).is_file()), "")

    @property
    def _cache(self) -> Path | None:
        """The package cache; a remote engine does not see this machine's directories."""
        local = self.engine.is_local
        return self.home / "uv" if local else None

    def _env(self) -> dict[str, str]:
        env = {name: self.environ[name] for name in PASSED_ON if name in self.environ}
        if "PIP_INDEX_URL" in env and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(env):
            env["UV_DEFAULT_INDEX"] = env["PIP_INDEX_URL"]
        if self._certificates:
            for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"):
                env[name] = CERTIFICATES
        # Where no directory is mounted there it lies in memory: no layer may keep it.
        cache = CACHE if self._cache else CACHE_IN_MEMORY
        return env | {"UV_CACHE_DIR": cache, "UV_LINK_MODE": "copy"}

    def _spec(self, image: str) -> ContainerSpec:
        binds: tuple[str, ...] = ()
        if self._cache:
            self._cache.mkdir(parents=True, exist_ok=True)
            binds = (f"{self._cache}:{CACHE}",)
        return ContainerSpec(
            image=image,
            labels=label.run_labels(self.run, "builder", lease_s=LEASE_S),
            network="bridge",
            limits=Limits(pids=2048),
            binds=binds,
            tmpfs=("/build", "/tmp"),
            hardened=False,
        )


@dataclass(frozen=True)
class BuildContainer:
    """A container a layer is made in."""

    container: Container
    timeout_s: float
    env: Mapping[str, str]

    async def put_in_memory(self, path: str, content: bytes) -> None:
        """Writes a file below a tmpfs, which the engine's own copying does not reach."""
        script = 'mkdir -p "$(dirname "$1")" && cat > "$1"'
        await self.step("writing a file", "/bin/sh", "-c", script, "sh", path, stdin=content)

    async def unpack(self, directory: str, tar: bytes) -> None:
        """Unpacks an archive in a directory, which is made."""
        script = 'mkdir -p "$1" && exec tar -xf - -C "$1"'
        await self.step("unpacking", "/bin/sh", "-c", script, "sh", directory, stdin=tar)

    async def step(self, what: str, *argv: str, cwd: str = "/", stdin: bytes = b"") -> Execution:
        """Runs one step, which must succeed.

        Raises:
            InfraFault: `index_unreachable`, `stage_timeout`, or `image_unavailable` with the end
                of what the step said.
        """
        done = await self.attempt(*argv, cwd=cwd, stdin=stdin)
        if not done.ok:
            raise _failure(what, done, self.timeout_s)
        return done

    async def attempt(self, *argv: str, cwd: str = "/", stdin: bytes = b"") -> Execution:
        """Runs one step that may fail; of itself, not because of the world around it.

        Raises:
            InfraFault: `index_unreachable`, `host_disk_full`, `stage_timeout`.
        """
        command = Command(argv, cwd, self.env, stdin, self.timeout_s)
        done = await self.container.run(command)
        if done.exit_code == CRASHED and "uv" in argv:
            # uv can crash (astral-sh/uv#21428) and leave half a package that looks installed.
            again = ("--reinstall",) if "install" in argv else ()
            done = await self.container.run(replace(command, argv=(*argv, *again)))
        fault = None if done.ok else world_fault("building a layer", done, self.timeout_s)
        if fault is not None:
            raise fault
        return done


def is_unreachable(text: str) -> bool:
    """Whether what uv or pip said means that the index did not answer."""
    return any(sign in text.lower() for sign in UNREACHABLE)


def _bytes_of(path: str) -> bytes:
    return Path(path).read_bytes()


def _failure(what: str, done: Execution, timeout_s: float) -> InfraFault:
    fault = world_fault(what, done, timeout_s)
    if fault is not None:
        return fault
    return InfraFault(FaultKind.IMAGE_UNAVAILABLE, f"{what} failed: {_said(done)[-800:]}")


def world_fault(what: str, done: Execution, timeout_s: float) -> InfraFault | None:
    """What failed a step, where that was the world and nothing of what was to be built."""
    if done.timed_out:
        message = f"{what} took longer than {timeout_s:.0f} s (limits.build_s)"
        return InfraFault(FaultKind.STAGE_TIMEOUT, message, retryable=True)
    text = _said(done)
    if is_unreachable(text):
        message = f"{what}: the package index cannot be reached: {text[-400:]}"
        return InfraFault(FaultKind.INDEX_UNREACHABLE, message, retryable=True)
    if "no space left on device" in text.lower():
        return InfraFault(FaultKind.HOST_DISK_FULL, f"{what}: the engine's disk is full")
    return None


def _said(done: Execution) -> str:
    return done.output.decode(errors="replace").strip()
