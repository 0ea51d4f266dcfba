"""What a project's own files say of it, read without running any of its code."""

import configparser
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from packaging.utils import canonicalize_name

from agent_runner.environments.poetry import Poetry, read_poetry
from agent_runner.environments.setup_script import names, read_setup_script

FOR_TESTS = ("test", "tests", "testing")
FOR_DEVELOPERS = ("dev", "develop", "development")
PACKAGING = ("pyproject.toml", "setup.cfg", "setup.py")


@dataclass(frozen=True)
class Metadata:
    """A project's packaging as far as an environment needs it.

    Attributes:
        name: the distribution's name, "" where no file says it plainly.
        installable: whether there is anything to install.
        source: the file whose dependencies are the project's, "" where there is none.
        extras: names of all its extras.
        groups: names of its dependency groups (PEP 735).
        build_requires: names of what its build asks for (PEP 518), without versions.
        requires_python: where that stands, and the specifier; two empty strings where nowhere.
        classifiers: trove classifiers, and where they stand.
        dependencies: what it needs itself, as far as that can be read.
        tests_require: setuptools' own old list for tests.
        lines: requirement lines by the place that names them, e.g. `setup.cfg [tests]`.
        poetry_groups: requirement lines of Poetry's groups.
    """

    name: str = ""
    installable: bool = False
    source: str = ""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    build_requires: tuple[str, ...] = ()
    requires_python: tuple[str, str] = ("", "")
    classifiers: tuple[str, tuple[str, ...]] = ("", ())
    dependencies: tuple[str, ...] = ()
    tests_require: tuple[str, ...] = ()
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    poetry_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_metadata(files: Mapping[str, str]) -> Metadata:
    """Reads `pyproject.toml`, `setup.cfg` and `setup.py`; the first that says a thing counts.

    Args:
        files: by path; lists of requirements that a `setup.py` reads may be among them.
    """
    pyproject = _pyproject(files.get("pyproject.toml", ""))
    if pyproject.source:
        return pyproject
    cfg, script = _setup_cfg(files.get("setup.cfg", "")), _setup_py(files)
    source = next((name for name in ("setup.py", "setup.cfg") if name in files), "")
    if not source:
        # Poetry and older flit name the project in tables of their own.
        declared = "pyproject.toml" if pyproject.build_requires else ""
        return replace(pyproject, installable=bool(declared), source=declared)
    return replace(
        pyproject,
        name=cfg.name or script.name or pyproject.name,
        installable=True,
        source=source,
        extras=tuple(dict.fromkeys(cfg.extras + script.extras)),
        requires_python=next(
            (one for one in (cfg.requires_python, script.requires_python) if one[1]),
            pyproject.requires_python,
        ),
        classifiers=cfg.classifiers if cfg.classifiers[1] else script.classifiers,
        dependencies=cfg.dependencies + script.dependencies,
        tests_require=cfg.tests_require + script.tests_require,
        lines={**cfg.lines, **script.lines, **pyproject.lines},
    )


def _pyproject(text: str) -> Metadata:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return Metadata()
    tool, project = _table(tables, "tool"), tables.get("project")
    groups = _lines(tables.get("dependency-groups"))
    metadata = Metadata(
        groups=tuple(groups),
        build_requires=_build_requires(tables.get("build-system")),
        lines={f"pyproject.toml group {name}": lines for name, lines in groups.items()},
    )
    if not isinstance(project, dict):
        return _with_tools(metadata, read_poetry(tool.get("poetry")), _table(tool, "flit"))
    extras = _lines(project.get("optional-dependencies"))
    dynamic = _table(_table(_table(tool, "setuptools"), "dynamic"), "optional-dependencies")
    return replace(
        metadata,
        name=str(project.get("name", "")),
        installable=True,
        source="pyproject.toml",
        extras=(*extras, *dynamic),
        dependencies=tuple(map(str, _list(project, "dependencies"))),
        requires_python=("pyproject.toml requires-python", _text(project, "requires-python")),
        classifiers=("pyproject.toml classifiers", tuple(map(str, _list(project, "classifiers")))),
        lines={
            **metadata.lines,
            **{f"pyproject.toml [{name}]": lines for name, lines in extras.items()},
        },
    )


def _with_tools(metadata: Metadata, poetry: Poetry, flit: Mapping[str, object]) -> Metadata:
    """The project as Poetry or an older flit name it."""
    table = _table(flit, "metadata")
    extras = _lines(table.get("requires-extra"))
    wanted = _text(table, "requires-python")
    said = ("pyproject.toml flit requires-python", wanted)
    return replace(
        metadata,
        name=poetry.name or _text(table, "dist-name") or _text(table, "module"),
        extras=(*extras, *poetry.extras),
        requires_python=said if wanted else ("pyproject.toml poetry python", poetry.python),
        classifiers=("pyproject.toml classifiers", tuple(map(str, _list(table, "classifiers")))),
        dependencies=(*poetry.dependencies, *map(str, _list(table, "requires"))),
        poetry_groups=poetry.groups,
        lines={
            **metadata.lines,
            **{f"pyproject.toml [{name}]": lines for name, lines in extras.items()},
            **{f"pyproject.toml poetry {name}": lines for name, lines in poetry.groups.items()},
        },
    )


def _setup_cfg(text: str) -> Metadata:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return Metadata()
    section = "options.extras_require"
    extras = {
        name: tuple(names(lines.split("\n")))
        for name, lines in (parser.items(section) if parser.has_section(section) else ())
    }

    def listed(part: str, key: str) -> tuple[str, ...]:
        text = parser.get(part, key, fallback="")
        if text.startswith("file:"):
            return ()
        return tuple(names(re.split(r"[\n;](?!\s*(?:python|sys|platform|extra|os))", text)))

    return Metadata(
        name=parser.get("metadata", "name", fallback="").strip(),
        extras=tuple(extras),
        requires_python=(
            "setup.cfg python_requires",
            parser.get("options", "python_requires", fallback="").strip(),
        ),
        classifiers=(
            "setup.cfg classifiers",
            listed("metadata", "classifiers") or listed("metadata", "classifier"),
        ),
        dependencies=listed("options", "install_requires"),
        tests_require=listed("options", "tests_require"),
        lines={f"setup.cfg [{name}]": lines for name, lines in extras.items()},
    )


def _setup_py(files: Mapping[str, str]) -> Metadata:
    """What can be read of `setup(...)`; what is computed is left to the build itself."""
    call = read_setup_script(files.get("setup.py", ""), files)
    # `dev:python_version<"3.8"` is a condition of setuptools, not a name.
    extras = {name: tuple(names(lines)) for name, lines in call.extras.items() if ":" not in name}
    return Metadata(
        name=call.name,
        extras=tuple(extras),
        requires_python=("setup.py python_requires", call.python_requires),
        classifiers=("setup.py classifiers", tuple(names(call.classifiers))),
        dependencies=tuple(names(call.install_requires)),
        tests_require=tuple(names(call.tests_require)),
        lines={f"setup.py [{name}]": lines for name, lines in extras.items()},
    )


def _table(table: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = table.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(table: Mapping[str, object], key: str) -> str:
    found = table.get(key)
    return found if isinstance(found, str) else ""


def _list(table: Mapping[str, object], key: str) -> list[object]:
    found = table.get(key)
    return found if isinstance(found, list) else []


def _lines(table: object) -> dict[str, tuple[str, ...]]:
    """Lists of strings by name; a group's other entries (`include-group`) are left to uv."""
    if not isinstance(table, Mapping):
        return {}
    return {
        str(name): tuple(line for line in lines if isinstance(line, str))
        for name, lines in table.items()
        if isinstance(lines, list)
    }


def _build_requires(table: object) -> tuple[str, ...]:
    listed = _list(table, "requires") if isinstance(table, Mapping) else []
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in listed if isinstance(line, str))
    return tuple(canonicalize_name(match[0]) for match in found if match)


def for_tests(there: Iterable[str]) -> tuple[str, ...]:
    """Those of extras or groups that are named for tests."""
    return _called(there, FOR_TESTS)


def for_developers(there: Iterable[str]) -> tuple[str, ...]:
    """Those of extras or groups that are named for developers."""
    return _called(there, FOR_DEVELOPERS)


def _called(there: Iterable[str], wanted: tuple[str, ...]) -> tuple[str, ...]:
    known = list(there)
    return tuple(name for name in wanted if name in known)
