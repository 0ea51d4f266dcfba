"""What tox is told to install for a run of the tests."""

import configparser
import re
from collections.abc import Iterable
from dataclasses import dataclass

INCLUDE = re.compile(r"^-(?:r|-requirement)[ =]*(\S+)$")
FACTORS = re.compile(r"^([\w!.,{}-]+)\s*:\s*(?!//)(.*)$")
OWN_EXTRAS = re.compile(r"^(?:-e\s*)?\.\[([\w,\s-]+)\]$")
NAME = re.compile(r"^[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class ToxEnvironment:
    """The plain test environment.

    Attributes:
        deps: requirement lines.
        lists: requirement files, relative to the project.
        extras: of the project.
    """

    deps: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


def read_tox(text: str, python: str) -> ToxEnvironment:
    """Reads `[testenv]`; lines for other factors than the Python's own are left out.

    Args:
        python: minor version: `3.9` is tox's factor `py39`.
    """
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return ToxEnvironment()
    factor = "py" + python.replace(".", "")
    section = "testenv"
    lines = list(_applying(parser.get(section, "deps", fallback="").split("\n"), factor))
    extras = parser.get(section, "extras", fallback="").split("\n")
    named = [part for line in _applying(extras, factor) for part in re.split(r"[,\s]+", line)]
    deps, lists = [], []
    for line in lines:
        plain = line.replace("{toxinidir}/", "").strip()
        if found := INCLUDE.match(plain):
            lists.append(found[1].removeprefix("./"))
        elif own := OWN_EXTRAS.match(plain):
            named += re.split(r"[,\s]+", own[1])
        elif NAME.match(plain) and "{" not in plain and "://" not in plain:
            deps.append(plain)
    return ToxEnvironment(tuple(deps), tuple(lists), tuple(filter(None, named)))


def _applying(lines: Iterable[str], factor: str) -> Iterable[str]:
    """Without comments, blanks and the lines of other factors."""
    for raw in lines:
        line = raw.partition(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        conditional = FACTORS.match(line)
        if conditional is None:
            yield line
        elif factor in _spread(conditional[1]):
            yield conditional[2].strip()


def _spread(factors: str) -> set[str]:
    """`py{38,39}` and `py38,py39` as single factors; a combined one (`py39-x`) is none of ours."""
    whole = re.sub(
        r"([\w.-]*)\{([^}]*)\}([\w.-]*)",
        lambda found: ",".join(found[1] + part + found[3] for part in found[2].split(",")),
        factors,
    )
    return {part.strip() for part in whole.split(",")}
