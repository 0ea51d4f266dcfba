"""Packages added later: resolved as of the task's date and fetched away from the workspace."""

import io
import re
import tarfile
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tools.workspace.build.build_container import is_unreachable
from tools.workspace.build.builder import Builder
from tools.workspace.build.package_index import refreshed
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.spec import VENV

WHEELS = "/build/wheels"


class Unresolvable(Exception):
    """The requirements cannot be had as of the date; the message says why, for the model."""


@dataclass(frozen=True)
class Wheels:
    """Wheels to install offline.

    Attributes:
        pins: `name==version`, the requirements and what they pull in.
        tar: the wheel files, at the archive's root.
    """

    pins: tuple[str, ...]
    tar: bytes


def parse_requirements(lines: tuple[str, ...], project: str) -> tuple[Requirement, ...]:
    """Reads what a model asked for: names with versions, extras and markers; nothing else.

    Raises:
        Unresolvable: a line is no such requirement, or names the project itself, whose later
            releases hold the fix.
    """
    found = []
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            raise Unresolvable(f"{line!r} is not a package name with a version: {error}") from error
        if requirement.url:
            raise Unresolvable(f"{line!r} is an address: only names from the index can be added")
        if project and canonicalize_name(requirement.name) == canonicalize_name(project):
            raise Unresolvable(f"{requirement.name} is the project itself: it is installed already")
        found.append(requirement)
    return tuple(found)


async def fetch_wheels(
    builder: Builder, environment: str, requirements: tuple[Requirement, ...], *, as_of: str,
    project: str,
) -> Wheels:  # fmt: skip
    """Resolves and fetches in a helper container that holds the environment, not the project.

    Raises:
        Unresolvable: no set of releases before the date fits, or one of them does not build.
        InfraFault: `index_unreachable` or the engine's.
    """
    async with builder.container(environment) as helper:
        text = "\n".join(str(requirement) for requirement in requirements)
        await helper.put_in_memory("/build/wanted.in", text.encode())
        freeze = f"uv pip freeze -q --python {VENV}/bin/python | grep == > /build/held.txt || true"
        await helper.step("reading the environment", "/bin/sh", "-c", freeze)
        resolve = await helper.attempt(
            "uv", "pip", "compile", "-q", "/build/wanted.in", "-c", "/build/held.txt",
            *refreshed(as_of), "--exclude-newer", as_of, "--python", f"{VENV}/bin/python",
            "--no-header", "--no-annotate", "-o", "/build/pins.txt",
        )  # fmt: skip
        _accept(resolve.ok, resolve.output)
        listed = await helper.step("reading the pins", "cat", "/build/pins.txt")
        pins = tuple(re.findall(r"^([A-Za-z0-9][^\s;]*==[^\s;]+)", listed.stdout.decode(), re.M))
        if project and any(_names(pin, project) for pin in pins):
            raise Unresolvable(f"this would pull in {project}, the project itself")
        made = await helper.attempt(
            "python3", "-m", "pip", "wheel", "-q", "--no-deps", "-r", "/build/pins.txt",
            "-w", WHEELS,
        )  # fmt: skip
        _accept(made.ok, made.output)
        packed = await helper.step("packing the wheels", "tar", "-cf", "-", "-C", WHEELS, ".")
    if packed.dropped_bytes:
        raise Unresolvable("the packages are too large to be added")
    return Wheels(pins, packed.stdout)


def _names(pin: str, project: str) -> bool:
    return canonicalize_name(pin.partition("==")[0]) == canonicalize_name(project)


def _accept(ok: bool, output: bytes) -> None:
    if ok:
        return
    text = output.decode(errors="replace").strip()
    if is_unreachable(text):
        message = f"the package index cannot be reached: {text[-300:]}"
        raise InfraFault(FaultKind.INDEX_UNREACHABLE, message, retryable=True)
    raise Unresolvable(text[-1500:])


def with_prefix(tar: bytes, directory: str) -> bytes:
    """The same archive with every member below a directory."""
    buffer = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(tar)) as source,
        tarfile.open(fileobj=buffer, mode="w") as target,
    ):
        for entry in source:
            content = source.extractfile(entry) if entry.isfile() else None
            entry.name = f"{directory.lstrip('/')}/{entry.name.lstrip('./')}".rstrip("/")
            target.addfile(entry, content)
    return buffer.getvalue()
