"""A project's files at a commit, as far as an environment is read from them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from agent_runner.environments.imports import TEST_PATH, Imported, imported, name_of
from agent_runner.environments.lists import (
    DEVELOPERS,
    TESTS,
    general_lists,
    includes,
    lines_of,
    lists_for,
    readable_lists,
)
from agent_runner.environments.metadata import PACKAGING, Metadata, read_metadata
from agent_runner.environments.python import CI_FILES, FALLBACK
from agent_runner.environments.tox import read_tox
from tools.workspace.repository.git import GitError, git
from tools.workspace.repository.mirrors import Mirror

SETTINGS = ("tox.ini", "pytest.ini")
# Lines of tests that import, as git's own search finds them without a checkout.
IMPORTS = r"^[[:space:]]*(import|from)[[:space:]]|import_?(or)?_?skip"
# Beyond the chosen ones lists are only looked at for what the tests import.
MOST_LISTS = 60


@dataclass(frozen=True)
class Project:
    """What is read once and looked at by every rule.

    Attributes:
        paths: every file of the commit.
        files: content of those that may say something, by path.
        modules: what its tests import.
        committed: the commit's own date, ISO 8601.
        version: of the newest tag in the commit's past, "" where there is none.
    """

    paths: tuple[str, ...]
    files: Mapping[str, str]
    metadata: Metadata
    modules: Imported
    committed: str
    version: str

    def names_pytest(self, path: str) -> bool:
        """Whether a list of requirements is for running the tests too."""
        return any(name_of(line) == "pytest" for line in lines_of(self.files.get(path, "")))


async def read_project(mirror: Mirror, commit: str) -> Project:
    """Reads the files; nothing of the project is run."""
    paths = await mirror.paths(commit)
    wanted = [path for path in paths if path in {*PACKAGING, *SETTINGS} or CI_FILES.fullmatch(path)]
    chosen = (*lists_for(TESTS, paths), *lists_for(DEVELOPERS, paths), *general_lists(paths))
    wanted += dict.fromkeys((*chosen, *readable_lists(paths)[:MOST_LISTS]))
    files, modules, committed, version = await asyncio.gather(
        _with_included(mirror, commit, wanted, frozenset(paths)),
        _modules(mirror, commit, paths),
        _date(mirror, commit),
        _version(mirror, commit),
    )
    return Project(paths, files, read_metadata(files), modules, committed, version)


async def _with_included(
    mirror: Mirror, commit: str, wanted: list[str], there: frozenset[str]
) -> dict[str, str]:
    """The files wanted, and what lists of requirements among them include, wherever that lies."""
    found: dict[str, str] = {}
    while wanted:
        texts = await mirror.files(commit, wanted)
        found |= {path: texts.get(path, b"").decode("utf-8", "replace") for path in wanted}
        included = {path for name in wanted for path in includes(name, found[name])}
        if "tox.ini" in wanted:
            included |= set(read_tox(found["tox.ini"], FALLBACK).lists)
        wanted = sorted(included & there - set(found))
    return found


async def _modules(mirror: Mirror, commit: str, paths: tuple[str, ...]) -> Imported:
    """What the tests import, the project's own modules left out."""
    tests = ("*test*.py", "*/testing/*.py", "t/*.py")
    try:
        out = await git("grep", "-hE", IMPORTS, commit, "--", *tests, cwd=mirror.path)
    except GitError:  # exit code 1: no such line
        return Imported()
    own = frozenset(part.removesuffix(".py") for path in paths for part in path.split("/")[-2:])
    own |= {part for path in paths for part in path.split("/")[:3] if path.endswith(".py")}
    return imported(out.decode("utf-8", "replace"), own)


async def _date(mirror: Mirror, commit: str) -> str:
    out = await git("show", "-s", "--format=%ct", commit, cwd=mirror.path)
    return datetime.fromtimestamp(int(out), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _version(mirror: Mirror, commit: str) -> str:
    try:
        out = await git("describe", "--tags", "--abbrev=0", commit, cwd=mirror.path)
    except GitError:
        return ""
    return out.decode("utf-8", "replace").strip().rpartition("/")[2].lstrip("vV-_").strip()


def is_test(path: str) -> bool:
    """Whether a path belongs to a project's tests."""
    return bool(TEST_PATH.search(path))
