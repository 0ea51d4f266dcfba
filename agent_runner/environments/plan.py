"""Time travel: from a repository, a commit and a date to a Python and a set of dependencies."""

import re
from dataclasses import dataclass

from agent_runner.environments.commands import Needs, needs_of
from agent_runner.environments.dependencies import Dependencies, dependencies_of
from agent_runner.environments.facts import Facts, find_facts, repository_name
from agent_runner.environments.metadata import PACKAGING, Metadata
from agent_runner.environments.project import Project, is_test, read_project
from agent_runner.environments.python import (
    Choice,
    Named,
    choose_python,
    pythons_of_ci,
    pythons_of_classifiers,
    pythons_of_tox,
    settled,
)
from agent_runner.environments.stated import read_stated
from agent_runner.task import Located, Task
from tools.workspace.packages.environment import BUILD_BOUNDS, EnvironmentPlan
from tools.workspace.repository.mirrors import Mirror

NO_FACTS = Facts()
COMPILED = re.compile(r"\.(pyx|c|cc|cpp|f90|f)$")
EXTENSIONS = re.compile(
    r"\bExtension\(|ext_modules|cythonize|extension_helpers|numpy\.distutils|meson-python"
)
COMPILER = ("gcc", "g++", "libc6-dev", "make")


@dataclass(frozen=True)
class Planned:
    """An environment and the project it is for.

    Attributes:
        project: the distribution's name, "" where the files do not say it.
    """

    environment: EnvironmentPlan
    project: str


@dataclass(frozen=True)
class Wish:
    """All that is known before a base image is chosen.

    Attributes:
        as_of: date of the dependencies, ISO 8601, and where it is from.
        choice: the Python, with those to take in its place.
    """

    task: Task
    read: Project
    as_of: tuple[str, str]
    facts: Facts
    needs: Needs
    choice: Choice


async def plan(mirror: Mirror, commit: str, task: Task, python: str) -> Planned:
    """The environment of a task on a given Python, by the project's own files alone."""
    wish = await survey(mirror, commit, Located(task, mirror.source), with_facts=False)
    return environment_of(wish, python)


async def survey(
    mirror: Mirror, commit: str, located: Located, *, wanted: str | None = None,
    with_facts: bool = True,
) -> Wish:  # fmt: skip
    """Reads the project's files at the commit and chooses a Python; nothing of it is run.

    Args:
        wanted: the Python that the configuration asks for, if any; a row's own goes first.
        with_facts: whether `configs/environments.yaml` is looked at.
    """
    task, official = located.task, located.official
    read = await read_project(mirror, commit)
    repo = official.repo if official else repository_name(located.source)
    version = official.version if official else read.version
    facts = find_facts(repo, version) if with_facts else NO_FACTS
    command = official.eval_script if official and official.eval_script else task.test_cmd
    needs = needs_of(command)
    as_of = (task.created_at, "created_at") if task.created_at else (read.committed, "the commit")
    found = _python_of_files(read, as_of[0])
    for python, reason in (
        (needs.python, f"the test command names it: {needs.command[:60]}"),
        (facts.python, "configs/environments.yaml"),
        (wanted, "images.python of the configuration"),
        (task.python, "the row"),
    ):
        if python:
            others = tuple(one for one in (found.python, *found.others) if one != python)
            found = Choice(python, reason, others)
    return Wish(task, read, as_of, facts, needs, found)


def _python_of_files(read: Project, as_of: str) -> Choice:
    where, classifiers = read.metadata.classifiers
    named = [pythons_of_classifiers(where, classifiers)] if classifiers else []
    if "tox.ini" in read.files:
        named.append(pythons_of_tox(read.files["tox.ini"]))
    # A workflow that runs one linter on one Python says less than what the project promises.
    if not any(one.versions for one in named):
        named += pythons_of_ci(read.files)
    return choose_python(as_of, read.metadata.requires_python, _filled(named))


def _filled(named: list[Named]) -> list[Named]:
    return [one for one in named if one.versions]


def environment_of(wish: Wish, python: str) -> Planned:
    """The environment, once it is known which Python can be had.

    Args:
        python: minor version of the base image.
    """
    read, metadata, facts, needs = wish.read, wish.read.metadata, wish.facts, wish.needs
    wanted = dependencies_of(read, python, needs.extras)
    requirements = (
        *wanted.requirements,
        *wanted.optional,
        *facts.requirements,
        *needs.asked(wish.as_of[0]),
    )
    files = {name: read.files[name] for name in PACKAGING if name in read.files}
    compiled, project = _compiled(read), _name(wish)
    stated = read_stated(files, project) if metadata.source and not wanted.groups else None
    if stated is not None:
        files = {}  # all that counts of them is known
    before = settled(wish.as_of[0], python)
    overrides = needs.overridden((*before, wish.as_of[0])[0], wanted.lines(read), project)
    environment = EnvironmentPlan(
        python=python,
        as_of=wish.as_of[0],
        settled_as_of=before,
        project=project,
        requirements=tuple(dict.fromkeys(("pytest", *requirements))),
        files=files | dict(wanted.files),
        extras=wanted.extras,
        groups=wanted.groups,
        requirement_files=wanted.lists,
        metadata_file=metadata.source,
        stated=stated,
        build_requires=(*_backend(metadata), *facts.build_requires),
        optional=tuple(wanted.optional),
        overrides=overrides,
        constraints=facts.constraints,
        debian=tuple(dict.fromkeys(facts.debian + (COMPILER if compiled else ()))),
        variables=needs.variables(python),
        reasons=_reasons(wish, python, wanted, overrides, compiled),
    )
    return Planned(environment, environment.project)


def _backend(metadata: Metadata) -> list[str]:
    """What the project says its build asks for, beside the tools of every environment."""
    names = (name for name in metadata.build_requires if name not in {"setuptools", "wheel"})
    return [BUILD_BOUNDS.get(name, name) for name in names]


def _name(wish: Wish) -> str:
    """The distribution's name; where it is computed, the repository's if a package is called so."""
    name = wish.task.repo.rstrip("/").removesuffix(".git").rpartition("/")[2]
    known = wish.read.metadata
    if known.name or not known.installable:
        return known.name
    places = (f"{name}/__init__.py", f"src/{name}/__init__.py", f"{name}.py", f"src/{name}.py")
    return name if set(places) & set(wish.read.paths) else ""


def _compiled(read: Project) -> str:
    """A source file of the project that a compiler is needed for, "" for none."""
    text = read.files.get("setup.py", "") + read.files.get("pyproject.toml", "")
    # An old way to spread extensions over a project.
    spread = any(path.endswith("/setup_package.py") for path in read.paths)
    if not spread and not EXTENSIONS.search(text):
        return ""
    own = (path for path in read.paths if COMPILED.search(path) and not is_test(path))
    return next(own, "")


def _reasons(
    wish: Wish, python: str, wanted: Dependencies, overrides: tuple[str, ...], compiled: str
) -> tuple[str, ...]:
    chosen, metadata, needs = wish.choice, wish.read.metadata, wish.needs
    said = f"Python {python}: {chosen.reason}"
    if python != chosen.python:
        instead = f"in place of {chosen.python} ({chosen.reason}), which cannot be had here"
        said = f"Python {python}: {instead}"
    found = [
        said,
        f"date {wish.as_of[0]}: {wish.as_of[1]}",
        f"dependencies: {metadata.source or 'no packaging file'}",
        *(f"for tests: {reason}" for reason in wanted.reasons() or ("pytest alone",)),
    ]
    if needs.command:
        brought = ", ".join((*needs.requirements, *needs.variables(python)))
        found.append(f"{brought}: the test command `{needs.command[:60]}`")
    if overrides:
        found.append(f"{', '.join(overrides)}: older ones do not know -rA of the test command")
    if compiled:
        found.append(f"Debian's {', '.join(COMPILER)}: to build {compiled}")
    return (*found, *wish.facts.reasons)
