"""What is installed in a layer: the build tools, the dependencies of a date, the project itself."""

from collections.abc import Iterable, Mapping

from tools.workspace.build.build_container import BuildContainer
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.packages.activation import activation
from tools.workspace.packages.editable import ON_PATH, Backend, install_editable
from tools.workspace.packages.environment import EnvironmentPlan, build_tools
from tools.workspace.packages.pins import Pins, difference, parse_pins
from tools.workspace.packages.uv_inputs import INPUTS, PYTHON, build_bounds, dates, packed
from tools.workspace.packages.uv_says import not_built, reason, wants_compiler
from tools.workspace.spec import PROJECT, VENV

UV = ("uv", "pip", "install", "-q", "--no-config", "--python", PYTHON)
NEVER = "2999-01-01"
WHEELS = "/build/wheels"
COMPILERS = ("g++", "gcc", "libc6-dev", "make")


class NotBuilt(Exception):
    """A source distribution cannot be built.

    Attributes:
        names: of the distributions, as far as uv tells them.
        wants_compiler: whether it looked for a compiler in vain.
        said: uv's words.
    """

    def __init__(self, said: str) -> None:
        super().__init__(reason(said))
        self.said = said
        self.names = tuple(not_built(said))
        self.wants_compiler = wants_compiler(said)


async def install_tools(made: BuildContainer, python: str) -> None:
    """A virtual environment with the build tools alone, and what activates it."""
    await made.step("making the environment", "uv", "venv", "-q", "--python", "python3", VENV)
    tools = build_tools(python)
    compiled = _compiled(python)
    await made.step("installing the build tools", *UV, "--no-deps", *compiled, *tools)
    await activate(made)


def _compiled(python: str) -> tuple[str, ...]:
    """uv can compile for no Python before 3.7; there the first import does it."""
    return () if python == "3.6" else ("--compile-bytecode",)


async def activate(made: BuildContainer, variables: tuple[str, ...] = ()) -> None:
    """Writes what activates the environment.

    Not by the engine's own copying: that leaves the places of mounts in the layer.
    """
    await made.unpack("/", packed(activation(variables)))


async def install_debian(made: BuildContainer, packages: tuple[str, ...]) -> None:
    """Packages of the base's distribution; neither lists nor archives stay."""
    script = (
        "export DEBIAN_FRONTEND=noninteractive; apt-get update -q >/dev/null && "
        'apt-get install -q --yes --no-install-recommends "$@" && '
        "rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt "
        "/var/log/*.log /usr/share/doc/* /usr/share/man/*"
    )
    step = f"installing the Debian packages {', '.join(packages)}"
    await made.step(step, "/bin/sh", "-c", script, "sh", *packages)


async def change_to(
    made: BuildContainer, plan: EnvironmentPlan, want: Pins, wheels: Mapping[str, bytes]
) -> None:
    """Makes the environment hold exactly the pins, and proves that it does.

    Args:
        wheels: archives of what was built elsewhere, by name.

    Raises:
        NotBuilt: one of them is a source distribution that cannot be built.
        InfraFault: `index_unreachable`, `image_unavailable`.
    """
    change = difference(await _held(made), want)
    if change.remove:
        uninstall = ("uv", "pip", "uninstall", "-q", "--no-config", "--python", PYTHON)
        await made.step("removing packages", *uninstall, *change.remove)
    if change.install:
        for tar in wheels.values():
            await made.unpack(WHEELS, tar)
        found = ("--find-links", WHEELS) if wheels else ()
        exact = (*UV, "--no-deps", *_compiled(plan.python), *found, *change.install)
        done = await made.attempt(*exact, "--no-build-isolation")
        if not done.ok:
            done = await made.attempt(*exact, *await _in_isolation(made, plan, want))
        if not done.ok:
            raise NotBuilt(done.output.decode(errors="replace"))
    held = await _held(made)
    if held != dict(want):
        wrong = difference(held, want)
        message = f"the environment is not what was resolved: {wrong.remove} {wrong.install}"
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message)


async def build_wheels(made: BuildContainer, plan: EnvironmentPlan, pins: Iterable[str]) -> bytes:
    """Builds wheels with a compiler, in a container that is thrown away, and packs them.

    Raises:
        NotBuilt: that does not do it either.
    """
    await install_debian(made, COMPILERS)
    wheel = (PYTHON, "-m", "pip", "wheel", "-q", "--retries=5", "--no-deps", "-w", WHEELS, *pins)
    done = await made.attempt(*wheel)
    if not done.ok:
        bounds = "".join(f"{line}\n" for line in build_bounds(plan))
        await made.unpack(INPUTS, packed({"isolated.txt": bounds}))
        isolated = ("PIP_NO_BUILD_ISOLATION=1", f"PIP_CONSTRAINT={INPUTS}/isolated.txt")
        done = await made.attempt("env", *isolated, *wheel)
    if not done.ok:
        raise NotBuilt(done.output.decode(errors="replace"))
    tar = await made.step("packing wheels", "tar", "-cf", "-", "-C", WHEELS, ".")
    return tar.stdout


async def _in_isolation(made: BuildContainer, plan: EnvironmentPlan, want: Pins) -> list[str]:
    """Options of a build with tools of its own; what is pinned is chosen already."""
    bounds = "".join(f"{line}\n" for line in build_bounds(plan))
    await made.unpack(INPUTS, packed({"isolated.txt": bounds}))
    options = ["--build-constraints", f"{INPUTS}/isolated.txt", *dates(plan)]
    for name in want:
        options += ["--exclude-newer-package", f"{name}={NEVER}"]
    return options


async def _held(made: BuildContainer) -> dict[str, str]:
    freeze = ("uv", "pip", "freeze", "-q", "--no-config", "--python", PYTHON)
    done = await made.step("reading the environment", *freeze)
    return parse_pins(done.stdout.decode())


async def install_project(made: BuildContainer, backend: Backend) -> bool:
    """Editable, without dependencies, with the tools that are there; whether that could be done.

    pip can do it where the Python's last setuptools is too old for the others.
    """
    if await install_editable(made, backend):
        return True
    target = ("--no-deps", "--no-build-isolation", "-e", PROJECT)
    for argv in ((*UV, *target), (PYTHON, "-m", "pip", "install", "-q", *target)):
        if (await made.attempt("env", ON_PATH, *argv, cwd=PROJECT)).ok:
            return True
    return False


async def install_with_index(made: BuildContainer, backend: Backend) -> bool:
    """The same where something is fetched for it, be it the newest tools in the end.

    Raises:
        InfraFault: `image_unavailable`, where that does not do it either; `index_unreachable`.
    """
    if not await install_project(made, backend):
        await made.step("installing the project", *UV, "--no-deps", "-e", PROJECT, cwd=PROJECT)
    return True


async def hide_build_products(made: BuildContainer) -> None:
    """What the installation left in the tree belongs to no patch, whatever `.gitignore` says."""
    script = (
        "git ls-files --others --exclude-standard --directory | sed 's,^,/,' >> .git/info/exclude"
    )
    mkdir = "mkdir -p .git/info && "
    await made.step("hiding build products", "/bin/sh", "-c", mkdir + script, cwd=PROJECT)
