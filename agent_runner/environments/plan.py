"""Time travel: from a repository, a commit and a date to a Python and a set of dependencies."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from posixpath import normpath

from agent_runner.environments.metadata import PACKAGING, read_metadata, requirement_files
from agent_runner.task import Task
from tools.workspace.environment import BUILD_BOUNDS, EnvironmentPlan
from tools.workspace.git import git
from tools.workspace.mirrors import Mirror

INCLUDED = re.compile(r"^\s*-(?:r|c|-requirement|-constraint)[ =]*(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Planned:
    """An environment and the project it is for.

    Attributes:
        project: the distribution's name, "" where the files do not say it.
    """

    environment: EnvironmentPlan
    project: str


async def plan(mirror: Mirror, commit: str, task: Task, python: str) -> Planned:
    """Reads the project's files at the commit; nothing of it is run.

    Args:
        python: minor version of the base image.
    """
    paths = await mirror.paths(commit)
    files = {name: await _text(mirror, commit, name) for name in PACKAGING if name in paths}
    metadata = read_metadata(files)
    named = metadata.extras or metadata.groups
    lists = () if named else requirement_files(paths, installable=metadata.installable)
    files |= await _with_included(mirror, commit, lists, paths)
    as_of = task.created_at or await _commit_date(mirror, commit)
    environment = EnvironmentPlan(
        python=python,
        as_of=as_of,
        files=files,
        extras=metadata.extras,
        groups=metadata.groups,
        requirement_files=lists,
        metadata_file=metadata.source,
        build_requires=tuple(
            BUILD_BOUNDS.get(name, name)
            for name in metadata.build_requires
            if name not in {"setuptools", "wheel"}
        ),
        reasons=(
            f"Python {python}: {'the row' if task.python else 'the default base image'}",
            f"date {as_of}: {'created_at' if task.created_at else 'the commit'}",
            f"dependencies: {metadata.source or 'no packaging file'}",
            f"for tests: {', '.join(metadata.extras + metadata.groups + lists) or 'pytest alone'}",
        ),
    )
    return Planned(environment, metadata.name)


async def _text(mirror: Mirror, commit: str, path: str) -> str:
    return (await mirror.file(commit, path) or b"").decode("utf-8", "replace")


async def _with_included(
    mirror: Mirror, commit: str, lists: tuple[str, ...], paths: tuple[str, ...]
) -> dict[str, str]:
    """Requirement lists and those they include."""
    found: dict[str, str] = {}
    todo = list(lists)
    while todo:
        path = todo.pop()
        if path in found or path not in paths:
            continue
        found[path] = await _text(mirror, commit, path)
        folder = path.rpartition("/")[0]
        todo += [normpath(f"{folder}/{name}").lstrip("/") for name in INCLUDED.findall(found[path])]
    return found


async def _commit_date(mirror: Mirror, commit: str) -> str:
    out = await git("show", "-s", "--format=%ct", commit, cwd=mirror.path)
    return datetime.fromtimestamp(int(out), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
