"""What a test command itself needs in its environment, whatever the project's files say."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from agent_runner.environments.imports import name_of
from tools.workspace.spec import VENV

# A line of a script that starts a test runner; lines of a patch begin with a sign or a blank.
RUNNER = re.compile(
    r"^(?:\w+=(?:'[^']*'|\S*) )*(?:python3? -m )?(tox|nox|nosetests|trial)\b.*$", re.MULTILINE
)
# `-rA` lists every test; pytest knows it since 4.5, older ones say nothing at all then. What was
# written for those does not go with 5.
LISTING = re.compile(r"^(?:\w+=\S* )*(?:python3? -m )?pytest\b.*\s-rA\b", re.MULTILINE)
KNOWS_LISTING = "pytest>=4.6,<5"
RELEASED = "2019-07-01"
# pytest knows this option since 6.1, and refuses what it does not know.
HEADLESS = re.compile(r"^(?:\w+=\S* )*(?:python3? -m )?pytest\b.*\s--no-header\b", re.MULTILINE)
KNOWS_HEADLESS, HEADLESS_SINCE = "pytest>=6.1", "2020-09-28"
PACKAGES = {"tox": "tox", "nox": "nox", "nosetests": "nose", "trial": "twisted"}
INSTALL = re.compile(r"^.*\bpip3? install .*?\.\[([\w,.-]+)\]", re.MULTILINE)
PINNED_PLUG_IN = re.compile(r"\s*pytest-[\w.-]+\s*(?:==|<|~=)")
TOX_PYTHON = re.compile(r"-e\s*py(3)\.?(\d+)\b")


@dataclass(frozen=True)
class Needs:
    """What a command needs.

    Attributes:
        command: as it stands, "" where no runner but pytest or the project's own is started.
        python: minor version that it names, "" for none.
        extras: of the project, that an install line before the tests asks for.
        overrides: requirement lines that the command cannot do without.
        is_headless: whether it tells pytest to print no header.
    """

    command: str = ""
    requirements: tuple[str, ...] = ()
    python: str = ""
    extras: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    is_headless: bool = False

    def asked(self, as_of: str) -> tuple[str, ...]:
        """The requirement lines, as far as there were such releases at a date."""
        runner = (KNOWS_HEADLESS,) if self.is_headless and as_of >= HEADLESS_SINCE else ()
        return (*self.requirements, *runner)

    def overridden(self, as_of: str, lines: Iterable[str], project: str) -> tuple[str, ...]:
        """The overrides that are needed: where the date or the project's own bounds forbid them.

        Args:
            lines: requirement lines of the environment.
            project: the distribution's name; it is never brought in.
        """
        lines = tuple(lines)
        needed = [
            override
            for override in self.overrides
            if (name := name_of(override)) != canonicalize_name(project or "-")
            and (as_of < RELEASED or any(_forbids(line, name) for line in lines))
        ]
        # Plug-ins pinned beside an older pytest do not load in a newer one.
        plug_ins = {name_of(line) for line in lines if needed and PINNED_PLUG_IN.match(line)}
        return (*needed, *sorted(plug_ins))

    def variables(self, python: str) -> tuple[str, ...]:
        """`NAME=value` that must be set, for an environment of a Python."""
        if "--current-env" not in self.command:
            return ()
        return (
            # The pytest below is started with tox.ini's arguments: only so does it list each test.
            "PYTEST_ADDOPTS=-rA",
            # tox-current-env runs a link to the Python, which does not find its environment then.
            f"PYTHONPATH={VENV}/lib/python{python}/site-packages",
            "TOX_TESTENV_PASSENV=PYTEST_ADDOPTS PYTHONPATH",
        )


def _forbids(line: str, name: str) -> bool:
    """Whether a requirement line bounds a distribution to versions that are too old."""
    if name_of(line) != name:
        return False
    bounds = Requirement(line.partition(" #")[0].strip()).specifier
    upper = [part for part in bounds if part.operator in {"==", "<", "<=", "~="}]
    return any(Version(part.version.removesuffix(".*")) < Version("4.5") for part in upper)


def needs_of(script: str) -> Needs:
    """Reads a test command, or a script with one."""
    installed = [line for line in INSTALL.finditer(script) if line[0][0] not in "+- #"]
    extras = tuple(name for line in installed for name in line[1].split(","))
    found = RUNNER.search(script)
    if found is None:
        listing = (KNOWS_LISTING,) if LISTING.search(script) else ()
        headless = HEADLESS.search(script) is not None
        return Needs(extras=extras, overrides=listing, is_headless=headless)
    command, runner = found[0], found[1]
    requirements = [PACKAGES[runner]]
    overrides = []
    if "--current-env" in command:
        requirements.append("tox-current-env")
        overrides.append(KNOWS_LISTING)
    python = TOX_PYTHON.search(command)
    return Needs(
        command=command,
        requirements=tuple(requirements),
        python=f"3.{python[2]}" if python else "",
        extras=extras,
        overrides=tuple(overrides),
    )
