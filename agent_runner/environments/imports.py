"""What a project's tests import, and which of its files names a distribution for that."""

import configparser
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, canonicalize_name

# Modules whose distribution has another name.
DISTRIBUTIONS = {
    "attr": "attrs", "bs4": "beautifulsoup4", "cv2": "opencv-python", "dateutil": "python-dateutil",
    "docx": "python-docx", "google": "protobuf", "git": "gitpython", "iris": "scitools-iris",
    "jose": "python-jose", "jwt": "pyjwt", "magic": "python-magic", "netCDF4": "netcdf4",
    "OpenSSL": "pyopenssl", "PIL": "pillow", "psycopg2": "psycopg2-binary", "serial": "pyserial",
    "skimage": "scikit-image", "socks": "pysocks", "yaml": "pyyaml",
    "zmq": "pyzmq", "dotenv": "python-dotenv", "tlz": "toolz",
    "netcdftime": "cftime", "Xlib": "python-xlib", "lxml_html_clean": "lxml-html-clean",
}  # fmt: skip
# What a test suite may import without any of its project's files saying so: only tests use these.
FOR_TESTS = frozenset(
    {"mock", "nose", "hypothesis", "freezegun", "pretend", "parameterized", "unittest2", "trustme"}
)
# Options of `addopts` and settings that pytest refuses without the plug-in they belong to.
PLUGINS = {
    r"--cov\b": "pytest-cov",
    r"(?:^|\s)-n[ =]?(?:\d+|auto|logical)": "pytest-xdist",
    r"--timeout\b": "pytest-timeout",
    r"--doctest-plus|doctest_plus\s*=": "pytest-doctestplus",
    r"--reruns\b": "pytest-rerunfailures",
    r"--mpl\b": "pytest-mpl",
    r"--benchmark-": "pytest-benchmark",
    r"--flake8\b": "pytest-flake8",
    r"--pep8\b": "pytest-pep8",
    r"--isort\b": "pytest-isort",
    r"--black\b": "pytest-black",
    r"--mypy\b": "pytest-mypy",
    r"^asyncio_mode\s*=": "pytest-asyncio",
    r"--randomly-|-p no:randomly": "pytest-randomly",
    r"--html\b": "pytest-html",
}
TEST_PATH = re.compile(r"(^|/)(tests?|testing|t)/|(^|/)(test_[^/]*|[^/]*_tests?|conftest)\.py$")
# A test's own import, and `pytest.importorskip("x")` or a project's own wrapper of that.
IMPORT = re.compile(r"^([ \t]*)(?:import|from)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
SKIP = re.compile(r"import_?(?:or)?_?skip\w*\(\s*['\"]([A-Za-z_]\w*)")
ALWAYS_THERE = frozenset({"_pytest", "py", "pytest", "setuptools", "pkg_resources", "pip"})
PIP_INSTALL = re.compile(r"(?:pip3?|conda|mamba)\s+install\s+(.+)$", re.MULTILINE)
OPTION_WITH_VALUE = re.compile(
    r"(?:^|\s)(?:-r|-c|-e|-f|-i|--\w[\w-]*-?(?:url|links|index))[ =]*\S+"
)
WORD = re.compile(r"^[A-Za-z][\w.-]*(?:\[[\w,-]+\])?(?:[<>=!~]=?[^\s;]*)?$")


@dataclass(frozen=True)
class Imported:
    """Top-level modules that tests import, without Python's own and the project's.

    Attributes:
        needed: imported by a whole file: without it nothing of the file is collected.
        used: inside a function or a condition, or asked for by `importorskip`.
    """

    needed: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()


def imported(text: str, own: frozenset[str]) -> Imported:
    """Reads the lines of tests that import.

    Args:
        own: names of the project's modules.
    """
    found = IMPORT.findall(text)
    left_out = own | ALWAYS_THERE | set(sys.stdlib_module_names)
    needed = {name for indent, name in found if not indent} - left_out
    used = {name for indent, name in found if indent} | set(SKIP.findall(text))
    return Imported(frozenset(needed), frozenset(used - left_out - needed))


def distribution(module: str) -> str:
    """The canonical name of the distribution a module comes from, as far as one can tell."""
    return canonicalize_name(DISTRIBUTIONS.get(module, module))


def name_of(line: str) -> str:
    """The canonical name of a requirement line; "" for an option, a path or an address."""
    try:
        name = Requirement(line.partition(" #")[0].strip()).name
        return canonicalize_name(name, validate=True)
    except (InvalidRequirement, InvalidName):
        return ""


def completing(
    modules: Iterable[str],
    named: Mapping[str, tuple[str, ...]],
    there: Iterable[str],
    *,
    known: bool = False,
) -> dict[str, str]:
    """Requirement lines for modules that tests import and nothing chosen so far brings.

    Args:
        named: requirement lines by the place of the project that names them.
        there: names of distributions that are chosen already.
        known: whether modules that are well known to be for tests need to be named by no place.

    Returns:
        each line with the place that names it.
    """
    has = set(there)
    wanted = {distribution(module) for module in modules} - has
    found: dict[str, str] = {}
    for place, lines in named.items():
        for line in lines:
            name = name_of(line)
            if name in wanted and name not in has:
                found[line.partition(" #")[0].strip()] = f"{place}, imported by the tests"
                has.add(name)
    for name in sorted(wanted & FOR_TESTS - has) if known else ():
        found[name] = "imported by the tests, named by no file"
    return found


def plugins(files: Mapping[str, str]) -> tuple[str, ...]:
    """The plug-ins that the options and settings of pytest's configuration belong to."""
    settings = []
    for path in ("pytest.ini", "tox.ini", "setup.cfg"):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        with suppress(configparser.Error):
            parser.read_string(files.get(path, ""))
        for section in {"pytest", "tool:pytest"} & set(parser.sections()):
            settings += [f"{key} = {value}" for key, value in parser.items(section)]
    with suppress(tomllib.TOMLDecodeError):
        table: object = tomllib.loads(files.get("pyproject.toml", ""))
        for key in ("tool", "pytest", "ini_options"):
            table = table.get(key) if isinstance(table, Mapping) else None
        settings += (
            [f"{key} = {value}" for key, value in table.items()]
            if isinstance(table, Mapping)
            else []
        )
    wanted = [
        line for line in settings if line.startswith(("addopts", "asyncio_mode", "doctest_plus"))
    ]
    text = "\n".join(wanted)
    return tuple(
        name for pattern, name in PLUGINS.items() if re.search(pattern, text, re.MULTILINE)
    )


def installed_by_ci(text: str) -> tuple[str, ...]:
    """Requirements on the `pip install` and `conda install` lines of a CI file or script."""
    found = []
    for arguments in PIP_INSTALL.findall(text):
        plain = OPTION_WITH_VALUE.sub(" ", arguments.partition("#")[0].partition("&&")[0])
        for word in re.split(r"[\s'\"]+", plain):
            # conda writes one sign.
            line = re.sub(r"(?<![=<>!~])=(?!=)", "==", word)
            if WORD.match(line) and name_of(line):
                found.append(line)
    return tuple(found)


def conda_packages(text: str) -> tuple[str, ...]:
    """The packages of a conda environment file, as requirement lines; those of its pip too."""
    try:
        table = yaml.safe_load(text)
    except yaml.YAMLError:
        return ()
    listed = table.get("dependencies") if isinstance(table, Mapping) else None
    found: list[str] = []
    for item in listed if isinstance(listed, list) else []:
        pip = item.get("pip") if isinstance(item, Mapping) else None
        for line in [item] if isinstance(item, str) else pip if isinstance(pip, list) else []:
            # Parts of a package that only conda knows.
            named = re.sub(r"^([\w.-]+?)-(?:base|core)\b", r"\1", str(line))
            plain = re.sub(r"(?<![=<>!~])=(?!=)\s*([\w.]+).*", r"==\1.*", named).strip()
            if name_of(plain) and name_of(plain) != "python":
                found.append(plain)
    return tuple(found)
