"""What an environment layer holds: the plain data between time travel and the layer builder."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

RECIPE = "8"  # raised when the way layers are built changes: every key changes with it
# The build tools of every environment, by the newest Python they are the right ones for.
# Held to no date: older ones cannot build editable, or break on the Python that is there.
TOOLS = (
    ((3, 6), ("pip==21.3.1", "setuptools==59.6.0", "wheel==0.37.1")),
    ((3, 7), ("pip==24.0", "setuptools==68.0.0", "wheel==0.42.0")),
    ((3, 99), ("pip==24.0", "setuptools==68.2.2", "wheel==0.42.0")),
)
# Build tools may be as new as this, or as the plan's date: one date, so that keys stay the same.
TOOLS_AS_OF = "2024-03-01T00:00:00Z"
BACKENDS = frozenset({
    "flit", "flit-core", "flit-scm", "hatch-fancy-pypi-readme", "hatch-vcs", "hatchling",
    "meson", "meson-python", "ninja", "pbr", "pdm-backend", "pdm-pep517", "pip", "poetry-core",
    "poetry-dynamic-versioning", "scikit-build", "scikit-build-core", "setuptools",
    "setuptools-git-versioning", "setuptools-scm", "setuptools-scm-git-archive", "versioneer",
    "versioningit", "wheel", "whey",
})  # fmt: skip
# Older releases of these break build tools or test runners that do not say so: what is wanted, and
# the day after the first release that does not.
AT_LEAST = (("importlib-metadata>=0.20", "2019-09-02"), ("iniconfig>=1.0.1", "2020-08-01"))
# Deleted from the index and uploaded again, as of this date; the date before has none of them.
UPLOADED_AGAIN = {"atomicwrites": "2022-07-09"}
# A test runner newer than the date, with what it needs: what reads its reports wants that new.
OVERRIDES_AS_OF = "2019-07-01"
NEEDED_BY_OVERRIDES = {
    "pytest": (
        "attrs", "importlib-metadata", "more-itertools", "packaging", "pathlib2", "pluggy", "py",
        "pyparsing", "six", "wcwidth", "zipp",
    ),
}  # fmt: skip
# Setup scripts of before the date may ask for what setuptools then dropped: Feature, use_2to3.
SETUPTOOLS_BOUNDS = (("2020-03-08", "setuptools<46"), ("2021-09-04", "setuptools<58"))
# Later majors of these build tools no longer read what projects wrote for the earlier ones.
BUILD_BOUNDS = {"setuptools-scm": "setuptools_scm<8", "flit-core": "flit_core<4"}


@dataclass(frozen=True)
class EnvironmentPlan:
    """A Python and a set of dependencies as of a date.

    Attributes:
        python: minor version, as in the base image's tag.
        as_of: date (ISO 8601) after which no package release is taken.
        settled_as_of: dates not after that, the oldest first. Releases as of the first are taken;
            later ones only where what is required asks for them, as of the first date that does.
        project: the distribution's own name, which nothing may bring in; "" where it is unknown.
        requirements: requirement lines on top of what the files name.
        files: the project's own files that name dependencies, by path, with their content: the
            lists are read from here, for the others it is for the key only.
        extras: extras of the project to include.
        groups: dependency groups of the project to include.
        requirement_files: those of `files` that are lists of requirements.
        metadata_file: the file of `files` whose dependencies are the project's own; "" for none.
        stated: what that file states outright, by extra, "" for what is always required; None where
            only a build can tell.
        build_requires: what the project's build asks for, beside the tools of `build_tools`; of
            these `BACKENDS` are held to no date but `TOOLS_AS_OF`.
        optional: requirement lines that are left out one by one where the index does not have them
            or they cannot be built.
        overrides: requirement lines in the place of whatever else asks for the same name; with what
            they need no older than `OVERRIDES_AS_OF`.
        constraints: requirement lines that bound the resolution without adding to it.
        debian: Debian packages the tests or the build need.
        variables: `NAME=value`, exported where an official script activates the environment.
        reasons: where each choice came from, for a person.
    """

    python: str
    as_of: str
    project: str = ""
    requirements: tuple[str, ...] = ("pytest",)
    files: Mapping[str, str] = field(default_factory=dict)
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    requirement_files: tuple[str, ...] = ()
    metadata_file: str = ""
    stated: Mapping[str, tuple[str, ...]] | None = None
    build_requires: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    debian: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    settled_as_of: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def dates(self) -> tuple[str, ...]:
        """The dates releases are taken as of, the preferred one first."""
        return (*(date for date in self.settled_as_of if date < self.as_of), self.as_of)

    def at(self, date: str) -> "EnvironmentPlan":
        """The same as of one of its dates alone: what plans of several dates may share."""
        return replace(self, as_of=date, settled_as_of=())

    def key(self, base_key: str) -> str:
        """What determines what is resolved and built, hashed."""
        built = {"base": base_key, "build_tools": build_tools(self.python), "recipe": RECIPE}
        facts = asdict(self) | built | {"tools_as_of": TOOLS_AS_OF}
        del facts["reasons"]
        text = json.dumps(facts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def build_tools(python: str) -> tuple[str, ...]:
    """The build tools of every environment of a Python, as pins."""
    minor = tuple(int(part) for part in python.split(".")[:2])
    return next(tools for newest, tools in TOOLS if minor <= newest)
