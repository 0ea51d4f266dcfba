"""The environment layer: what a plan resolves to, on the nearest layer that is there.

Its key is made of the complete list of versions it holds: plans of other dates that come to the
same list share it.
"""

from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from packaging.utils import canonicalize_name

from tools.workspace import labels as label
from tools.workspace.build.build_container import BuildContainer
from tools.workspace.build.builder import Builder
from tools.workspace.engine import Image
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.packages.environment import EnvironmentPlan, build_tools
from tools.workspace.packages.ground import CHAIN, PINS, ROOT, SUBJECT, TOOLS, Ground, Wish
from tools.workspace.packages.importable import not_importable
from tools.workspace.packages.install import (
    NotBuilt,
    activate,
    build_wheels,
    change_to,
    install_debian,
    install_tools,
)
from tools.workspace.packages.pins import digest, nearest, parse_pins
from tools.workspace.packages.resolution import Resolution, find_resolution, keep_resolution
from tools.workspace.packages.resolve import Resolver
from tools.workspace.packages.unbuildable import Unbuildable
from tools.workspace.repository.mirrors import Mirror

# Layers on layers: what a later one replaces still takes room below it.
LONGEST_CHAIN = 4


class NotImportable(Exception):
    """Packages cannot be imported; `why` says of each what it says itself."""

    def __init__(self, why: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name} {reason}" for name, reason in why.items()))
        self.why = why


class NotCompiled(Exception):
    """A source distribution cannot be built with a compiler either; the message says why."""


@dataclass(frozen=True)
class Opened:
    """A container that is there already, and the image it was made of.

    Attributes:
        wheels: archives of what had to be compiled elsewhere, by pin.
        tried: what is left out where it cannot be imported.
    """

    image: Image
    made: BuildContainer
    wheels: dict[str, bytes] = field(default_factory=dict)
    tried: frozenset[str] = frozenset()


def known_resolution(home: Path, architecture: str, plan: EnvironmentPlan) -> Resolution | None:
    """What a plan came to before, on this machine; None where it was not resolved yet."""
    keys = (_resolution_key(architecture, plan, date) for date in plan.dates)
    return next(filter(None, (find_resolution(home, key) for key in keys)), None)


def _resolution_key(architecture: str, plan: EnvironmentPlan, as_of: str) -> str:
    """Plans share what they come to without anything later than a date of theirs."""
    return plan.at(as_of).key(f"resolved on {architecture} from {plan.dates[0]} on")


async def tools_layer(builder: Builder, base: Image, plan: EnvironmentPlan) -> Image:
    """What all environments of a Python share: build tools, activation, Debian packages.

    Raises:
        InfraFault: `index_unreachable`, `host_disk_full`, `stage_timeout`, `image_unavailable`.
    """
    return await _root(builder, Ground(base, plan.python, frozenset(plan.debian)))


async def environment_layer(
    builder: Builder, base: Image, plan: EnvironmentPlan, mirror: Mirror, commit: str
) -> Image:
    """The layer a plan comes to, built where it is missing.

    Args:
        base: a base image, or a layer on one.

    Raises:
        InfraFault: `index_unreachable`, `host_disk_full`, `stage_timeout`, `image_unavailable`.
    """
    architecture = builder.engine.architecture
    first = _resolution_key(architecture, plan, plan.dates[0])
    subject = digest((mirror.source,))
    async with builder.locked(f"plan-{first}"):
        found = known_resolution(builder.home, architecture, plan)
        if found is not None:
            with suppress(NotBuilt):  # the index has changed
                return await _layer(builder, base, plan, found, subject)
        builder.report(f"resolving the dependencies as of {plan.as_of[:10]}")
        likely = await _likely(builder, Ground(base, plan.python, frozenset(plan.debian)), subject)
        async with builder.container(likely.id) as made:
            resolver = await Resolver.open(made, plan, partial(mirror.tree, commit))
            opened = Opened(likely, made, tried=resolver.optional())
            found, image = await _resolved(builder, base, resolver, subject, opened)
        key = _resolution_key(architecture, plan, found.as_of)
        keep_resolution(builder.home, key, found)
        return image


async def _resolved(
    builder: Builder, base: Image, resolver: Resolver, subject: str, opened: Opened
) -> tuple[Resolution, Image]:
    """Resolves and builds, with less where something cannot be built that can be done without."""
    memory = Unbuildable(builder.home, builder.engine.architecture, base, resolver.plan)
    while True:
        found = await resolver.resolve()
        dropped = [
            await resolver.leave_out([name], said)
            for name, said in memory.known(found.versions).items()
        ]
        if any(dropped):
            continue
        try:
            return found, await _layer(builder, base, resolver.plan, found, subject, opened)
        except NotImportable as error:
            dropped = [await resolver.leave_out([name], why) for name, why in error.why.items()]
            opened = replace(opened, tried=frozenset() if not any(dropped) else opened.tried)
        except NotBuilt as error:
            names: set[str] = {canonicalize_name(name) for name in error.names}
            pins = {name: found.versions.get(name, "") for name in names}
            # Without what something else needs, that would be there and break.
            if not names & resolver.asked():
                with suppress(NotCompiled):
                    await _compile(builder, resolver, opened, error, pins)
                    continue
            if await resolver.leave_out(names, error.said):
                memory.keep(pins, error.said)
                builder.report(f"without {', '.join(sorted(names))}: {error}")
                continue
            try:
                await _compile(builder, resolver, opened, error, pins)
            except NotCompiled as again:
                message = f"the dependencies cannot be installed: {again}"
                raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message) from again


async def _compile(
    builder: Builder, resolver: Resolver, opened: Opened, error: NotBuilt, pins: dict[str, str]
) -> None:
    """Builds wheels of what cannot be done without, with a compiler that no layer keeps.

    Raises:
        NotCompiled: that is of no use.
    """
    new = {f"{name}=={version}" for name, version in pins.items()} - set(opened.wheels)
    if not new or not error.wants_compiler:
        raise NotCompiled(str(error)) from error
    builder.report(f"with a compiler: {error}")
    async with builder.container(opened.image.id) as helper:
        try:
            wheels = await build_wheels(helper, resolver.plan, sorted(new))
        except NotBuilt as again:
            raise NotCompiled(str(again)) from again
    opened.wheels.update(dict.fromkeys(new, wheels))


async def _layer(
    builder: Builder, base: Image, plan: EnvironmentPlan, resolution: Resolution,
    subject: str, opened: Opened | None = None,
) -> Image:  # fmt: skip
    ground = Ground(base, plan.python, frozenset(resolution.debian))
    wish = Wish(ground, resolution.pins, plan.variables, subject)
    async with builder.locked(wish.key), AsyncExitStack() as stack:
        image = await builder.engine.image(wish.tag)
        if image is not None:
            return image
        want = resolution.versions
        usable = await _usable(builder, ground)
        below = usable[nearest([parse_pins(each.labels[PINS]) for each in usable], want)]
        builder.report(f"installing the dependencies on {below.tags[0]}")
        if opened is not None and opened.image.id == below.id:
            made = opened.made
        else:
            made = await stack.enter_async_context(builder.container(below.id))
        await change_to(made, plan, want, opened.wheels if opened else {})
        if opened is not None and opened.tried:
            broken = await not_importable(made, set(opened.tried) & set(want))
            if broken:
                raise NotImportable(broken)
        await activate(made, plan.variables)
        return await builder.keep(made, wish.tag, wish.labels(int(below.labels[CHAIN]) + 1))


async def _usable(builder: Builder, ground: Ground) -> list[Image]:
    """The layers on a ground that another one can be made on: the root first, the newest last."""
    root = await _root(builder, ground)
    listed = await builder.engine.images_with(f"{ROOT}={ground.key}")
    return [root, *(image for image in reversed(listed) if _is_usable(image))]


async def _likely(builder: Builder, ground: Ground, subject: str) -> Image:
    """The layer the next one will probably be made on: the newest of the same repository."""
    root, *others = await _usable(builder, ground)
    own = [image for image in others if image.labels.get(SUBJECT) == subject]
    return [root, *own][-1]


def _is_usable(image: Image) -> bool:
    """An instance layer inherits the labels; one without a tag is about to go."""
    named = any(not tag.startswith("<none>") for tag in image.tags)
    is_environment = image.labels.get(label.LAYER) == "environment"
    return named and is_environment and int(image.labels[CHAIN]) < LONGEST_CHAIN


async def _root(builder: Builder, ground: Ground) -> Image:
    """The environment that holds the build tools alone."""
    if ground.is_below:
        return ground.below
    wish = Wish(ground, build_tools(ground.python))
    async with builder.locked(wish.key):
        image = await builder.engine.image(wish.tag)
        if image is not None:
            return image
        builder.report(f"installing the build tools for Python {ground.python}")
        async with builder.container(ground.below.id) as made:
            if ground.missing:
                await install_debian(made, tuple(sorted(ground.missing)))
            if ground.below.labels.get(TOOLS) != ground.tools:
                await install_tools(made, ground.python)
            return await builder.keep(made, wish.tag, wish.labels(0))
