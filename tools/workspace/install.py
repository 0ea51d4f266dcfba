"""What is installed in a layer: the dependencies of a date, then the project itself."""

from tools.workspace.builder import BuildContainer
from tools.workspace.environment import BUILD_TOOLS, EnvironmentPlan
from tools.workspace.spec import PROJECT, VENV

PYTHON = f"{VENV}/bin/python"


async def install_dependencies(made: BuildContainer, plan: EnvironmentPlan, tree: bytes) -> None:
    """The environment of a plan.

    In memory lies the whole project: its packaging files may read others of its files.
    """
    await made.step("making the environment", "uv", "venv", "-q", "--python", "python3", VENV)
    await made.unpack("/build/project", tree)
    uv = ("uv", "pip", "install", "-q", "--python", PYTHON, "--compile-bytecode")
    # These two first: a build that predates isolation takes them, and they bring nothing along.
    await made.step("installing the build tools", *uv, *BUILD_TOOLS)
    # Without its history a project that asks git for its version would not even tell its metadata.
    version = "SETUPTOOLS_SCM_PRETEND_VERSION=1.0"
    dated = ("env", version, *uv, *_dated(plan))
    done = await made.attempt(*dated, "--no-build-isolation", cwd="/build/project")
    if not done.ok:
        await made.step("installing the dependencies", *dated, cwd="/build/project")
    if plan.build_requires:
        await _install_backend(made, plan, uv)


async def _install_backend(
    made: BuildContainer, plan: EnvironmentPlan, uv: tuple[str, ...]
) -> None:
    """The project's build backend, as far as it leaves the dated packages as they are.

    Where it does not, the project is built in isolation.
    """
    held = "/build/held.txt"
    freeze = f"uv pip freeze -q --python {PYTHON} | grep == > {held} || true"
    await made.step("reading the environment", "/bin/sh", "-c", freeze)
    await made.attempt(*uv, "-c", held, *plan.build_requires)


def _dated(plan: EnvironmentPlan) -> list[str]:
    """What is installed as of the plan's date, as arguments of uv."""
    dated = ["--exclude-newer", plan.as_of, *plan.requirements]
    for name in plan.requirement_files:
        dated += ["-r", name]
    if plan.metadata_file:
        dated += ["-r", plan.metadata_file]
        dated += [part for extra in plan.extras for part in ("--extra", extra)]
    dated += [part for group in plan.groups for part in ("--group", group)]
    return dated


async def install_project(made: BuildContainer) -> None:
    """Editable and without dependencies; first with the tools that are there, then isolated."""
    install = ("uv", "pip", "install", "-q", "--python", PYTHON, "--no-deps", "-e", PROJECT)
    path = f"PATH={VENV}/bin:/usr/local/bin:/usr/bin:/bin"
    done = await made.attempt("env", path, *install, "--no-build-isolation", cwd=PROJECT)
    if not done.ok:
        await made.step("installing the project", *install, cwd=PROJECT)


async def hide_build_products(made: BuildContainer) -> None:
    """What the installation left in the tree belongs to no patch, whatever `.gitignore` says."""
    script = (
        "git ls-files --others --exclude-standard --directory | sed 's,^,/,' >> .git/info/exclude"
    )
    mkdir = "mkdir -p .git/info && "
    await made.step("hiding build products", "/bin/sh", "-c", mkdir + script, cwd=PROJECT)
