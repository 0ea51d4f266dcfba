"""What a project's tests need beside the project's own dependencies, and who says so."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from packaging.utils import canonicalize_name

from agent_runner.environments.imports import (
    completing,
    conda_packages,
    installed_by_ci,
    name_of,
    plugins,
)
from agent_runner.environments.lists import (
    DEVELOPERS,
    TESTS,
    general_lists,
    lines_of,
    lists_for,
    with_included,
)
from agent_runner.environments.metadata import for_developers, for_tests
from agent_runner.environments.project import Project
from agent_runner.environments.python import CI_FILES
from agent_runner.environments.tox import ToxEnvironment, read_tox

# Lists and conda environments of other purposes: looked at last.
SPECIAL = re.compile(r"doc|windows|min|bare|py2|old|upstream|bench|asv|lint|typ", re.IGNORECASE)


@dataclass(frozen=True)
class Dependencies:
    """Parts of an `EnvironmentPlan`, each with its reason.

    Attributes:
        lists: requirement files.
        files: those and what they include, with their content.
        requirements: lines that stand in no such file, each with the place that names it.
        optional: the same, of what the tests use where it can be had.
    """

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    requirements: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)

    def lines(self, read: Project) -> list[str]:
        """The requirement lines of all of it, as far as they can be read."""
        found = [line for text in self.files.values() for line in lines_of(text)]
        found += [*self.requirements, *self.optional, *read.metadata.dependencies]
        for name in (*self.extras, *self.groups):
            for place, listed in read.metadata.lines.items():
                if place.endswith((f"[{name}]", f"group {name}")):
                    found += listed
        return found

    def reasons(self) -> tuple[str, ...]:
        """One for each choice, for a person."""
        return (
            *(f"extra {name}" for name in self.extras),
            *(f"group {name}" for name in self.groups),
            *(f"the list {name}" for name in self.lists),
            *(f"{line}: {place}" for line, place in self.requirements.items()),
            *(f"{line}, if it can be had: {place}" for line, place in self.optional.items()),
        )


def dependencies_of(read: Project, python: str, asked: tuple[str, ...] = ()) -> Dependencies:
    """What is named for tests; else for developers; then what the tests import beside that.

    Args:
        python: minor version that it is for.
        asked: extras that the task's own script installs.
    """
    tox = read_tox(read.files.get("tox.ini", ""), python)
    chosen = _named_for_tests(read, tox)
    if chosen == Dependencies():
        chosen = _named_for_developers(read)
    if chosen == Dependencies():
        lines = dict.fromkeys(_plain(tox.deps), "tox.ini deps")
        lines |= dict.fromkeys(_plain(read.metadata.tests_require), "tests_require")
        chosen = Dependencies(requirements=lines)
    metadata = read.metadata
    extras = [name for name in (*asked, *tox.extras) if name in metadata.extras]
    chosen = replace(chosen, extras=tuple(dict.fromkeys((*chosen.extras, *extras))))
    if not metadata.installable:
        # Nothing else names what the project needs.
        lists = dict.fromkeys((*chosen.lists, *general_lists(read.paths)))
        chosen = replace(chosen, lists=tuple(lists))
    chosen = replace(chosen, files=with_included(chosen.lists, read.files))
    return _completed(read, chosen, {"tox.ini deps": tox.deps})


def _named_for_tests(read: Project, tox: ToxEnvironment) -> Dependencies:
    metadata = read.metadata
    poetry = _poetry(read, for_tests(metadata.poetry_groups))
    found = Dependencies(
        extras=for_tests(metadata.extras), groups=for_tests(metadata.groups), requirements=poetry
    )
    if found != Dependencies():
        return found
    by_tox = (path for path in tox.lists if path in read.files)
    lists = lists_for(TESTS, read.paths)
    lists = lists or tuple(path for path in by_tox if not lists_for(DEVELOPERS, (path,)))
    return Dependencies(lists=lists)


def _named_for_developers(read: Project) -> Dependencies:
    metadata = read.metadata
    found = Dependencies(
        extras=for_developers(metadata.extras),
        groups=for_developers(metadata.groups),
        requirements=_poetry(read, for_developers(metadata.poetry_groups)),
    )
    if found != Dependencies():
        return found
    general = tuple(filter(read.names_pytest, general_lists(read.paths)))
    lists = lists_for(DEVELOPERS, read.paths)
    if not lists:
        return Dependencies(lists=general)
    # Much of what developers install is not for tests; none of it may keep the rest away.
    texts = with_included(lists, read.files).values()
    lines = [line for text in texts for line in _plain(lines_of(text))]
    return Dependencies(optional=dict.fromkeys(lines, f"the list {lists[0]}"))


def _poetry(read: Project, groups: tuple[str, ...]) -> dict[str, str]:
    lines = read.metadata.poetry_groups
    return {line: f"poetry {name}" for name in groups for line in _plain(lines[name])}


def _plain(lines: tuple[str, ...]) -> list[str]:
    return [line.partition(" #")[0].strip() for line in lines if name_of(line)]


def _completed(
    read: Project, chosen: Dependencies, named: Mapping[str, tuple[str, ...]]
) -> Dependencies:
    """Adds what the tests import and another place names, and plug-ins pytest is told to use."""
    there = _names_there(read, chosen)
    modules = read.modules
    exact, loose, by_ci = _named_elsewhere(read)
    for place, lines in {**named, "tests_require": read.metadata.tests_require}.items():
        loose[place] = _names(lines)
    found = completing(modules.needed | modules.used, exact, there)
    there |= {name_of(line) for line in found}
    found |= completing(modules.needed | modules.used, loose, there)
    there |= {name_of(line) for line in found}
    # What CI installs is for all its jobs; only what a file of tests cannot do without counts.
    found |= completing(modules.needed, by_ci, there, known=True)
    there |= {name_of(line) for line in found}
    found |= {
        name: "an option of pytest's configuration"
        for name in plugins(read.files)
        if name not in there
    }
    return replace(chosen, optional={**chosen.optional, **found})


def _names_there(read: Project, chosen: Dependencies) -> set[str]:
    """Canonical names of what the environment will hold, as far as it can be read."""
    lines = [*chosen.lines(read), read.metadata.name]
    return {name_of(line) for line in lines} | {canonicalize_name("pytest")}


def _named_elsewhere(
    read: Project,
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Lines by place: of packaging as they stand; of lists and of CI by name alone.

    Versions of a list that was not chosen may be for another Python or purpose.
    """
    loose, by_ci = {}, {}
    for path, text in sorted(read.files.items(), key=lambda item: bool(SPECIAL.search(item[0]))):
        if CI_FILES.fullmatch(path):
            by_ci[path] = _names(installed_by_ci(text))
        elif path.endswith((".txt", ".in")):
            loose[path] = _names(lines_of(text))
        elif path.endswith((".yml", ".yaml")):
            loose[path] = _names(conda_packages(text))
    return dict(read.metadata.lines), loose, by_ci


def _names(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for line in lines if (name := name_of(line)))
