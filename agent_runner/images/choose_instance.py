"""Which image a task's workspace starts from: the one built here, or a published one."""

from dataclasses import dataclass

from agent_runner.config import RunConfig
from agent_runner.environments.plan import Planned
from agent_runner.errors import FaultKind, InfraFault
from agent_runner.images.cache_level import Layers
from agent_runner.images.disk_space import check_disk
from agent_runner.observer import Observer
from agent_runner.task import Located
from tools.workspace.build.builder import Builder
from tools.workspace.layers.base_image import Base
from tools.workspace.layers.instance import (
    Instance,
    build_instance,
    find_instance,
    instance_key,
    instance_tag,
)
from tools.workspace.layers.published import find_published, published_instance
from tools.workspace.repository.mirrors import Mirror

# What a registry can be at fault for; a full disk or a lost engine is no reason to build instead.
REGISTRY_FAULTS = frozenset({FaultKind.IMAGE_UNAVAILABLE, FaultKind.STAGE_TIMEOUT})


@dataclass(frozen=True)
class Wanted:
    """A task with all that determines its layers."""

    located: Located
    mirror: Mirror
    commit: str
    base: Base
    planned: Planned

    @property
    def tag(self) -> str:
        """The name of the instance built here."""
        plan, source = self.planned.environment, self.mirror.source
        key = instance_key(self.base.image, plan, source, self.commit)
        return instance_tag(self.commit, source, key)


async def choose_instance(
    builder: Builder, config: RunConfig, wanted: Wanted, layers: Layers, observer: Observer
) -> Instance:
    """The instance layer, made where it is missing.

    A published image is taken where `images.prefer` asks for it, the row names one and a registry
    gives it; otherwise it is said why not, and the layers are built.

    Raises:
        InfraFault: `index_unreachable`, `host_disk_full`, `stage_timeout`, `image_unavailable`,
            `engine_unavailable`.
    """
    official = wanted.located.official
    if config.images.prefer == "published" and official and official.image:
        try:
            return await _published(builder, config, wanted, official.image, layers, observer)
        except InfraFault as fault:
            if fault.kind not in REGISTRY_FAULTS:
                raise
            observer.complain(f"not the published image: {fault.message}; building one instead")
    return await _built(builder, config, wanted, layers, observer)


async def _built(
    builder: Builder, config: RunConfig, wanted: Wanted, layers: Layers, observer: Observer
) -> Instance:
    engine, base, plan = builder.engine, wanted.base.image, wanted.planned.environment
    await layers.hold(wanted.tag)
    found = await find_instance(engine, base, plan, wanted.mirror.source, wanted.commit)
    if found is not None:
        return found
    await check_disk(engine, config, mirror=wanted.mirror.path)
    name = wanted.located.task.task_id
    with observer.waiting(f"building the layers of {name}"):
        async with layers.building(wanted.tag):
            return await build_instance(builder, base, plan, wanted.mirror, wanted.commit)


async def _published(
    builder: Builder, config: RunConfig, wanted: Wanted, name: str, layers: Layers,
    observer: Observer,
) -> Instance:  # fmt: skip
    found = await find_published(builder.engine, name, wanted.commit)
    if found is None:
        await check_disk(builder.engine, config, mirror=wanted.mirror.path, published=True)
        with observer.waiting(f"pulling {name}"):
            found = await published_instance(
                builder, name, wanted.mirror, wanted.commit, within_s=config.limits.pull_s
            )
        layers.passes(found.tag)
    await layers.hold(found.tag)
    return found
