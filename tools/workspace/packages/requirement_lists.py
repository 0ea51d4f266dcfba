"""What a project's requirement lists ask for, read without pip: only what an index can give."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import normpath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

OPTION = re.compile(r"^(-[A-Za-z]|--[a-z-]+)(?:\s*=\s*|\s*)(.*)$", re.DOTALL)
# Options of one requirement stand behind it, a comment after a blank.
TRAILING = re.compile(r"\s+(?:--[a-z-]+.*|#.*)$", re.DOTALL)
EGG = re.compile(r"#(?:.*&)?egg=([A-Za-z0-9._-]+)")
OWN = re.compile(r"^\.{1,2}/?\s*(?:\[([^\]]*)\])?\s*$|^(?:\.{1,2}/|/|~|file:)")
QUOTED = re.compile(r"""^(['"])(.*)\1$""")
NAMED = re.compile(r"^[A-Za-z0-9]")
INCLUDES = {"-r": "lines", "--requirement": "lines", "-c": "bounds", "--constraint": "bounds"}


@dataclass
class Wanted:
    """What lists ask for.

    Attributes:
        lines: requirements, as uv takes them.
        bounds: constraints on versions, which add nothing.
        optional: names of what the lists take from an address; the index may have them or not.
        extras: extras of the project itself that a list asks for, as `-e .[test]` does.
        skipped: what was left out, each with its reason.
    """

    lines: list[str] = field(default_factory=list)
    bounds: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)
    extras: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def read_lists(names: tuple[str, ...], files: Mapping[str, str], project: str = "") -> Wanted:
    """Reads lists and all they include.

    Args:
        files: content by path; what is included and is not there is skipped with a reason.
        project: the distribution's own name, which no list may bring in.
    """
    wanted, seen = Wanted(), set[tuple[str, str]]()
    todo = [(name, "lines") for name in names]
    while todo:
        name, kind = todo.pop(0)
        if (name, kind) in seen:
            continue
        seen.add((name, kind))
        if name not in files:
            wanted.skipped.append(f"{name}: there is no such list")
            continue
        folder = name.rpartition("/")[0]
        for line in logical_lines(files[name]):
            option = OPTION.match(line)
            if option is None:
                _take(line, kind, project, wanted, name)
            elif option[1] in INCLUDES:
                path = normpath(f"{folder}/{option[2].strip()}").lstrip("/")
                todo.append((path, INCLUDES[option[1]] if kind == "lines" else "bounds"))
            elif option[1] in {"-e", "--editable"}:
                _take(option[2], kind, project, wanted, name)
            # What is left says where and how to fetch: that is the machine's business.
    return wanted


def logical_lines(text: str) -> Iterator[str]:
    """Lines without comments, continued ones joined."""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        stripped = line.strip().lstrip("\ufeff")
        if stripped and not stripped.startswith("#"):
            yield stripped if stripped.startswith("-") else TRAILING.sub("", stripped)


def _take(line: str, kind: str, project: str, wanted: Wanted, where: str) -> None:
    """Sorts one requirement in."""
    line = QUOTED.sub(r"\2", line.strip())
    own = OWN.match(line)
    if own:
        wanted.extras += [each.strip() for each in (own[1] or "").split(",") if each.strip()]
        if own[1] is None and line.rstrip("/") != ".":
            wanted.skipped.append(f"{where}: {line}: a local path")
        return
    name, addressed = _name_of(line)
    if not name:
        wanted.skipped.append(f"{where}: {line}: neither a name nor an address that names one")
    elif project and canonicalize_name(name) == canonicalize_name(project):
        wanted.skipped.append(f"{where}: {line}: the project itself")
    elif not addressed:
        (wanted.lines if kind == "lines" else wanted.bounds).append(line)
    elif kind == "lines":
        wanted.optional.append(name)
        wanted.skipped.append(f"{where}: {line}: an address; {name} is taken from the index")


def _name_of(line: str) -> tuple[str, bool]:
    """The distribution a line names, and whether it is to come from an address."""
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        pass
    else:
        return requirement.name, bool(requirement.url)
    egg = EGG.search(line)
    if egg:
        return egg[1].partition("[")[0], True
    # Versions of the old kind that no standard knows: uv says what it cannot read.
    plain = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line)
    return (plain[0], False) if plain and "/" not in line and NAMED.match(line) else ("", False)
