"""What a project's own files say of it, read without running any of its code."""

import ast
import configparser
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from packaging.utils import canonicalize_name

EXTRAS = ("test", "tests", "testing", "dev")
PACKAGING = ("pyproject.toml", "setup.cfg", "setup.py")
REQUIREMENTS = tuple(
    f"{directory}{name}"
    for directory in ("", "requirements/", "requirements-", "tests/", "test-")
    for name in ("test.txt", "tests.txt", "testing.txt", "dev.txt", "requirements.txt")
)


@dataclass(frozen=True)
class Metadata:
    """A project's packaging as far as an environment needs it.

    Attributes:
        name: the distribution's name, "" where no file says it plainly.
        installable: whether there is anything to install.
        source: the file whose dependencies are the project's, "" where there is none.
        extras: those of `EXTRAS` it has.
        groups: dependency groups of those names (PEP 735).
        build_requires: names of what its build asks for (PEP 518), without versions.
    """

    name: str = ""
    installable: bool = False
    source: str = ""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    build_requires: tuple[str, ...] = ()


def read_metadata(files: Mapping[str, str]) -> Metadata:
    """Reads `pyproject.toml`, `setup.cfg` and `setup.py`, the first that says it."""
    pyproject = _pyproject(files.get("pyproject.toml", ""))
    if pyproject.source:
        return pyproject
    legacy = _setup_cfg(files.get("setup.cfg", "")) or _setup_py(files.get("setup.py", ""))
    source = next((name for name in ("setup.py", "setup.cfg") if name in files), "")
    if not source:
        # Poetry and older flit name the project in tables of their own.
        declared = "pyproject.toml" if pyproject.build_requires else ""
        return replace(pyproject, installable=bool(declared), source=declared)
    name, extras = legacy or ("", ())
    return replace(pyproject, name=name, installable=True, source=source, extras=extras)


def _pyproject(text: str) -> Metadata:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return Metadata()
    groups = _known(tables.get("dependency-groups", {}))
    build = _build_requires(tables.get("build-system"))
    project = tables.get("project")
    if isinstance(project, dict):
        extras = _known(project.get("optional-dependencies", {}))
        return Metadata(str(project.get("name", "")), True, "pyproject.toml", extras, groups, build)
    return Metadata(_tool_name(tables.get("tool")), groups=groups, build_requires=build)


def _tool_name(table: object) -> str:
    poetry = table.get("poetry") if isinstance(table, dict) else None
    return str(poetry.get("name", "")) if isinstance(poetry, dict) else ""


def _build_requires(table: object) -> tuple[str, ...]:
    listed = table.get("requires", []) if isinstance(table, dict) else []
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in listed if isinstance(line, str))
    return tuple(canonicalize_name(match[0]) for match in found if match)


def _setup_cfg(text: str) -> tuple[str, tuple[str, ...]] | None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    name = parser.get("metadata", "name", fallback="").strip()
    if not name:
        return None
    section = "options.extras_require"
    return name, _known(parser[section] if parser.has_section(section) else {})


def _setup_py(text: str) -> tuple[str, tuple[str, ...]] | None:
    """The literal arguments of `setup(...)`; what is computed is left to the build itself."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # ValueError: a null byte, before Python 3.11.4
        return None
    assigned = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith("setup"):
            continue
        given = {word.arg: word.value for word in node.keywords if word.arg}
        name = _literal(given.get("name"), assigned)
        extras = _literal_keys(given.get("extras_require"), assigned)
        return (name if isinstance(name, str) else ""), _known(dict.fromkeys(extras))
    return None


def _literal(node: ast.expr | None, assigned: Mapping[str, ast.expr]) -> object:
    if isinstance(node, ast.Name):
        node = assigned.get(node.id)
    return node.value if isinstance(node, ast.Constant) else None


def _literal_keys(node: ast.expr | None, assigned: Mapping[str, ast.expr]) -> list[str]:
    if isinstance(node, ast.Name):
        node = assigned.get(node.id)
    keys = node.keys if isinstance(node, ast.Dict) else []
    return [
        key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
    ]


def _known(table: object) -> tuple[str, ...]:
    names = list(table) if isinstance(table, Mapping) else []
    return tuple(name for name in EXTRAS if name in names)


def requirement_files(paths: tuple[str, ...], *, installable: bool = True) -> tuple[str, ...]:
    """The project's lists of requirements: those named for tests, else those for all.

    Args:
        installable: without packaging files nothing else names what the project needs: all count.
    """
    found = [path for path in REQUIREMENTS if path in paths]
    for_tests = [path for path in found if "test" in path.rpartition("/")[2]]
    return tuple(for_tests if installable and for_tests else found)
