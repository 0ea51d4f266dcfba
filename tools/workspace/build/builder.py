"""Where layers are built: containers with the package index open, which no agent ever gets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import AsyncFileLock

from tools.workspace import labels as label
from tools.workspace.build.build_container import UV_SETTINGS, BuildContainer
from tools.workspace.build.package_cache import PackageCache
from tools.workspace.build.package_index import certificates, uv_settings, variables
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine, Image
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.limits import Limits
from tools.workspace.start import discard, running, start

LEASE_S = 3600.0
CERTIFICATES = "/build/ca.crt"
# Below /dev, which is in memory: of a mount elsewhere a layer would keep the empty directory.
CACHE = "/dev/agent_runner_packages"
CACHE_IN_MEMORY = "/build/packages"
OFFLINE = {"UV_CACHE_DIR": CACHE_IN_MEMORY, "UV_LINK_MODE": "copy", "UV_OFFLINE": "1"}

Report = Callable[[str], None]


@dataclass(frozen=True)
class Builder:
    """For whom layers are built, and with what of the host.

    Attributes:
        environ: the host's variables: index, proxies and certificates are taken from there.
        home: the state directory; its package cache is mounted while building, never later.
        report: told what is being done, for a person who waits.
        timeout_s: for one step.
        packages_mb: what the package cache is cut back to after a build.
        init: the volume with the init of its containers, whose channel is ten times as quick as
            the engine's; "" where there is none yet.
        leaving: containers that are being removed beside what comes next; None: nothing does.
    """

    engine: Engine
    run: str
    home: Path
    environ: Mapping[str, str]
    report: Report
    timeout_s: float = 900.0
    packages_mb: int = 1000
    init: str = ""
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
    async def container(self, image: str) -> AsyncIterator[BuildContainer]:
        """A container of the image with the index open; `/build` and `/tmp` are in memory."""
        async with self._caching(), self.running(self._spec(image)) as container:
            # Given to each step: an image keeps what its container has in its environment.
            built = BuildContainer(container, self.timeout_s, self._env())
            trusted = certificates(self.environ)
            if trusted:
                content = await asyncio.to_thread(trusted.read_bytes)
                await built.put_in_memory(CERTIFICATES, content)
            await built.add_uv_settings(uv_settings(self.environ))
            yield built

    @asynccontextmanager
    async def offline(self, image: str) -> AsyncIterator[BuildContainer]:
        """The same without the index: it is there sooner, and gone sooner."""
        spec = replace(self._spec(image), network="none", binds=())
        async with self.running(spec) as container:
            yield BuildContainer(container, self.timeout_s, OFFLINE)

    @asynccontextmanager
    async def bare(self, image: str) -> AsyncIterator[BuildContainer]:
        """One with nothing mounted either: the engine can copy into it and leaves no trace."""
        spec = replace(self._spec(image), network="none", binds=(), tmpfs=(), init="")
        async with self.running(spec) as container:
            yield BuildContainer(container, self.timeout_s, {})

    @asynccontextmanager
    async def _caching(self) -> AsyncIterator[None]:
        """Keeps the package cache as it is."""
        with ExitStack() as held:
            if self._cache:
                await asyncio.to_thread(held.enter_context, self._packages.in_use())
            yield

    async def trim_packages(self) -> None:
        """Cuts the package cache back, unless somebody builds with it."""
        if self._cache:
            await asyncio.to_thread(self._packages.trim)

    @asynccontextmanager
    async def locked(self, key: str) -> AsyncIterator[None]:
        """Held by one builder of a layer at a time, over processes."""
        locks = self.home / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        async with AsyncFileLock(locks / f"{key}.lock", poll_interval=0.1):
            yield

    async def keep(self, made: BuildContainer, tag: str, labels: Mapping[str, str]) -> Image:
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
    def _packages(self) -> PackageCache:
        return PackageCache(self.home / "uv", self.packages_mb * 1_000_000)

    @property
    def _cache(self) -> Path | None:
        """The package cache; a remote engine does not see this machine's directories."""
        return self._packages.directory if self.engine.is_local else None

    def _env(self) -> dict[str, str]:
        env = variables(self.environ)
        env.pop("UV_DEFAULT_INDEX", None)  # the settings name it, and how long it holds
        if certificates(self.environ):
            for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"):
                env[name] = CERTIFICATES
        # Where no directory is mounted there it lies in memory: no layer may keep it.
        cache = CACHE if self._cache else CACHE_IN_MEMORY
        uv = {"UV_CACHE_DIR": cache, "UV_LINK_MODE": "copy", "UV_CONFIG_FILE": UV_SETTINGS}
        return env | uv

    def _spec(self, image: str) -> ContainerSpec:
        return ContainerSpec(
            image=image,
            labels=label.run_labels(self.run, "builder", lease_s=LEASE_S),
            network="bridge",
            limits=Limits(pids=2048, disk_bytes=0),
            init=self.init,
            binds=(f"{self._cache}:{CACHE}",) if self._cache else (),
            tmpfs=("/build", "/tmp"),
            hardened=False,
        )
