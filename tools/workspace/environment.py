"""What an environment layer holds: the plain data between time travel and the layer builder."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

RECIPE = "3"  # raised when the way layers are built changes: every key changes with it
# Held to no date: older ones cannot build editable, or break on the Python that is there.
BUILD_TOOLS = ("setuptools==68.2.2", "wheel==0.41.3")
# Later majors of these build tools no longer read what projects wrote for the earlier ones.
BUILD_BOUNDS = {"setuptools-scm": "setuptools_scm<8", "flit-core": "flit_core<4"}


@dataclass(frozen=True)
class EnvironmentPlan:
    """A Python and a set of dependencies as of a date.

    Attributes:
        python: minor version, as in the base image's tag.
        as_of: date (ISO 8601) after which no package release is taken.
        requirements: requirement lines on top of what the files name.
        files: the project's own files that name dependencies, by path, with their content: for
            the key only, the layer is built from the whole tree.
        extras: extras of the project to include.
        groups: dependency groups of the project to include.
        requirement_files: those of `files` that are lists of requirements.
        metadata_file: the file of `files` whose dependencies are the project's own; "" for none.
        build_requires: what the project's build asks for, beside `BUILD_TOOLS`; held to no date.
        constraints: requirement lines that bound the resolution without adding to it.
        debian: Debian packages the tests or the build need.
        reasons: where each choice came from, for a person.
    """

    python: str
    as_of: str
    requirements: tuple[str, ...] = ("pytest",)
    files: Mapping[str, str] = field(default_factory=dict)
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    requirement_files: tuple[str, ...] = ()
    metadata_file: str = ""
    build_requires: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    debian: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    def key(self, base_key: str) -> str:
        """What determines the layer, hashed: equal plans on an equal base share one layer."""
        built = {"base": base_key, "build_tools": BUILD_TOOLS, "recipe": RECIPE}
        facts = asdict(self) | built
        del facts["reasons"]
        text = json.dumps(facts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
