"""What uv is given to resolve a plan: the files and the command lines."""

import io
import re
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from tools.workspace.packages.environment import (
    AT_LEAST,
    BACKENDS,
    BUILD_BOUNDS,
    NEEDED_BY_OVERRIDES,
    OVERRIDES_AS_OF,
    SETUPTOOLS_BOUNDS,
    TOOLS_AS_OF,
    UPLOADED_AGAIN,
    EnvironmentPlan,
    build_tools,
)
from tools.workspace.packages.requirement_lists import Wanted
from tools.workspace.spec import VENV

PYTHON = f"{VENV}/bin/python"
TREE = "/build/project"
INPUTS = "/build/resolve"
# Without its history a project that asks git for its version would not even tell its metadata. Such
# tools ask this file then; a variable would tell the dependencies that are built, too.
PKG_INFO = {"PKG-INFO": "Metadata-Version: 1.1\nName: project\nVersion: 1.0\n"}


@dataclass(frozen=True)
class Attempt:
    """One way to resolve: all that a project of its era names does not always go together.

    Attributes:
        backend: with the project's build backend, so that it builds without isolation later.
        isolated: what has to be built to tell its dependencies is built with tools of its own.
        optional: with what its lists take from addresses, and with the extras they name.
        given_up: what an earlier attempt had beside it, for a person.
    """

    backend: bool
    isolated: bool
    optional: bool
    given_up: str = ""


def attempts(plan: EnvironmentPlan, wanted: Wanted) -> list[Attempt]:
    """From all that is named to the least that will do; only those that differ."""
    backend, optional = (
        bool(plan.build_requires),
        bool(plan.optional or wanted.optional or wanted.extras),
    )
    found = [Attempt(backend, isolated, optional) for isolated in (False, True)]
    if backend:
        given_up = "the project's build backend"
        found += [Attempt(False, isolated, optional, given_up) for isolated in (False, True)]
    if optional:
        given_up = "all that is optional"
        found += [Attempt(False, isolated, False, given_up) for isolated in (False, True)]
    return found


def files_for(
    plan: EnvironmentPlan, wanted: Wanted, left_out: Iterable[str], loosened: Iterable[str] = ()
) -> dict[str, str]:
    """The files uv is given.

    Args:
        left_out: names of distributions that nothing may bring in, beside the project.
        loosened: requirement lines in the place of exact versions that cannot be had.
    """
    chosen = (*plan.requirements, *plan.constraints)
    tools = [pin for pin in build_tools(plan.python) if not _names_one_of(pin, chosen)]
    names = [pin.partition("==")[0] for pin in build_tools(plan.python)]
    never = tuple(each for each in (plan.project, *left_out) if each)
    inputs = {
        "wanted.in": _without(never, (*plan.requirements, *wanted.lines, *names)),
        "optional.in": _without(never, (*plan.optional, *wanted.optional)),
        "own.in": _without(never, _stated(plan, ("",))),
        "extras.in": _without(never, _stated(plan, plan.extras)),
        "optional-extras.in": _without(never, _stated(plan, wanted.extras)),
        "backend.in": plan.build_requires,
        "bounds.txt": [*plan.constraints, *wanted.bounds, *(line for line, _ in AT_LEAST)],
        # In the place of whatever the project's era asked for.
        "instead.txt": [*tools, *plan.overrides, *loosened],
        "never.txt": never,
        "isolated.txt": build_bounds(plan),
    }
    return {name: "".join(f"{line}\n" for line in lines) for name, lines in inputs.items()}


def _stated(plan: EnvironmentPlan, extras: Iterable[str]) -> tuple[str, ...]:
    names = dict.fromkeys(canonicalize_name(extra) if extra else "" for extra in extras)
    return tuple(line for name in names for line in (plan.stated or {}).get(name, ()))


def _without(never: tuple[str, ...], lines: tuple[str, ...]) -> list[str]:
    return [line for line in lines if not any(_names_one_of(name, (line,)) for name in never)]


def metadata_argv(plan: EnvironmentPlan) -> list[str]:
    """The command line for what the project's own metadata requires, and nothing else."""
    own = plan.metadata_file if plan.stated is None else f"{INPUTS}/own.in"
    return [*_compile(plan), "--build-constraints", f"{INPUTS}/isolated.txt", own]


def build_bounds(plan: EnvironmentPlan) -> list[str]:
    """What bounds the tools of a build in isolation."""
    tools = [pin.replace("==", "<=") for pin in build_tools(plan.python)]
    dated = [bound for before, bound in SETUPTOOLS_BOUNDS if plan.as_of < before]
    return [*tools, *dated[:1], *BUILD_BOUNDS.values()]


def _names_one_of(wanted: str, lines: tuple[str, ...]) -> bool:
    """Whether one of the lines is about the distribution."""
    return any(_names(wanted) & _names(line) for line in lines)


def _names(line: str) -> set[str]:
    """The distribution a line is about, as a set of one; empty for none."""
    match = re.match(r"[A-Za-z0-9._-]+", line.strip())
    return {canonicalize_name(match[0])} if match else set()


def dates(plan: EnvironmentPlan) -> tuple[str, ...]:
    """The options that hold packages to the plan's date, and build tools to theirs."""
    exempt = {name: TOOLS_AS_OF for name in BACKENDS if not _names_one_of(name, (plan.project,))}
    for name in (name for line in plan.overrides for name in _names(line)):
        exempt |= dict.fromkeys(NEEDED_BY_OVERRIDES.get(name, ()), OVERRIDES_AS_OF)
        exempt |= {name: OVERRIDES_AS_OF}
    exempt |= UPLOADED_AGAIN | {line.partition(">")[0]: date for line, date in AT_LEAST}
    options = ["--exclude-newer", plan.as_of]
    for name, date in sorted(exempt.items()):
        options += ["--exclude-newer-package", f"{name}={max(plan.as_of, date)}"]
    return tuple(options)


def compile_argv(plan: EnvironmentPlan, wanted: Wanted, attempt: Attempt) -> list[str]:
    """The command line of an attempt."""
    isolated = ["--build-constraints", f"{INPUTS}/isolated.txt"]
    argv = [*_compile(plan), *(isolated if attempt.isolated else ["--no-build-isolation"])]
    argv += [f"{INPUTS}/wanted.in"]
    argv += [f"{INPUTS}/backend.in"] if attempt.backend else []
    argv += [f"{INPUTS}/optional.in"] if attempt.optional else []
    if plan.stated is not None:
        argv += [f"{INPUTS}/own.in", f"{INPUTS}/extras.in"]
        argv += [f"{INPUTS}/optional-extras.in"] if attempt.optional else []
    elif plan.metadata_file:
        extras = (*plan.extras, *(wanted.extras if attempt.optional else ()))
        argv += [plan.metadata_file]
        argv += [part for extra in dict.fromkeys(extras) for part in ("--extra", extra)]
    return argv + [part for group in plan.groups for part in ("--group", group)]


def _compile(plan: EnvironmentPlan) -> list[str]:
    # The tree's own settings of uv may name sources that are elsewhere.
    argv = ["uv", "pip", "compile", "-q", "--no-config", "--no-sources"]
    argv += ["--python", PYTHON, "--no-header", "--no-annotate", *dates(plan)]
    argv += ["-c", f"{INPUTS}/bounds.txt", "--overrides", f"{INPUTS}/instead.txt"]
    return [*argv, "--excludes", f"{INPUTS}/never.txt"]


def packed(files: Mapping[str, str]) -> bytes:
    """Files as a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
