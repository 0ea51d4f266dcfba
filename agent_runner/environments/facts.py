"""What no project file says: `configs/environments.yaml`, by repository and range of versions."""

import re
from dataclasses import dataclass
from functools import cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, field_validator

from agent_runner.document import explain, read_yaml
from agent_runner.errors import UsageError
from agent_runner.places import root

FILE = "configs/environments.yaml"
ANY = "*"


class Entry(BaseModel):
    """One fact or a few with one reason; without `versions` they hold for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    versions: str = ""
    python: str | None = Field(None, pattern=r"^3\.\d+$")
    constraints: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    build_requires: tuple[str, ...] = ()
    debian: tuple[str, ...] = ()
    test_cmd: str = ""
    reason: str = Field(min_length=1)

    @field_validator("versions")
    @classmethod
    def _is_a_range(cls, text: str) -> str:
        try:
            SpecifierSet(text)
        except InvalidSpecifier as error:
            raise ValueError(f"no range of versions ({text})") from error
        return text

    def holds_for(self, version: str) -> bool:
        """Whether the version is within the range; an unknown version is in none."""
        if not self.versions:
            return True
        try:
            return SpecifierSet(self.versions).contains(Version(version), prereleases=True)
        except InvalidVersion:
            return False


class FactsFile(RootModel[dict[str, tuple[Entry, ...]]]):
    """Entries by `owner/name`; `*` is for every repository."""

    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True)
class Facts:
    """What is known of a repository at a version.

    Attributes:
        python: minor version, None where none is given.
        test_cmd: how its tests are run, without the files; never empty.
        reasons: one for each choice, for a person.
    """

    test_cmd: str = "pytest -rA"
    python: str | None = None
    constraints: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    build_requires: tuple[str, ...] = ()
    debian: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def find_facts(repo: str, version: str) -> Facts:
    """The facts of a repository at a version; lists add up, of the rest the last entry counts.

    Args:
        repo: `owner/name`, or an address that ends so.
        version: as the project counts; "" or what is no version leaves out entries with a range.

    Raises:
        UsageError: the file cannot be read or something in it is wrong.
    """
    found = Facts()
    table = _read().root
    for name in (ANY, repository_name(repo)):
        for entry in table.get(name, ()):
            if entry.holds_for(version):
                found = _added(found, entry, name)
    return found


def repository_name(repo: str) -> str:
    """`owner/name`: the last two parts of an address or a path."""
    parts = [part for part in re.split(r"[/:]", repo.rstrip("/").removesuffix(".git")) if part]
    return "/".join(parts[-2:])


def _added(facts: Facts, entry: Entry, name: str) -> Facts:
    where = f"{FILE} {name} {entry.versions}".rstrip()
    given = {
        "python": entry.python,
        "constraints": ", ".join(entry.constraints),
        "requirements": ", ".join(entry.requirements),
        "to build": ", ".join(entry.build_requires),
        "debian": ", ".join(entry.debian),
        "test command": entry.test_cmd,
    }
    said = "; ".join(f"{key} {value}" for key, value in given.items() if value)
    said_by = () if name == ANY else (f"{said}: {where} ({entry.reason})",)
    return Facts(
        test_cmd=entry.test_cmd or facts.test_cmd,
        python=entry.python or facts.python,
        constraints=facts.constraints + entry.constraints,
        requirements=facts.requirements + entry.requirements,
        build_requires=facts.build_requires + entry.build_requires,
        debian=facts.debian + entry.debian,
        reasons=facts.reasons + said_by,
    )


@cache
def _read() -> FactsFile:
    path = root() / FILE
    try:
        return FactsFile.model_validate(read_yaml(path) or {})
    except ValidationError as error:
        raise UsageError(f"{path}: {explain(error, Entry.model_fields)}") from error
