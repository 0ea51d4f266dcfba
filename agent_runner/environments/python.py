"""Which Python a project is run with: what its own files name, as of a date."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from packaging.specifiers import InvalidSpecifier, SpecifierSet

# For a project whose files name no Python at all.
FALLBACK = "3.10"
# Release and end of life of each minor version (devguide.python.org/versions).
LIFE = {
    "3.6": (date(2016, 12, 23), date(2021, 12, 23)),
    "3.7": (date(2018, 6, 27), date(2023, 6, 27)),
    "3.8": (date(2019, 10, 14), date(2024, 10, 7)),
    "3.9": (date(2020, 10, 5), date(2025, 10, 31)),
    "3.10": (date(2021, 10, 4), date(2026, 10, 31)),
    "3.11": (date(2022, 10, 24), date(2027, 10, 31)),
    "3.12": (date(2023, 10, 2), date(2028, 10, 31)),
    "3.13": (date(2024, 10, 7), date(2029, 10, 31)),
}
# Between a Python and the first releases of compiled packages for it.
SETTLING = timedelta(days=90)
# As long before a date packages must have had time for a Python, that those of the date are taken.
WHEELS = timedelta(days=60)
# Most instances of SWE-bench were recorded with it, and packages of five years have wheels for it.
PREFERRED = "3.9"

CI_FILES = re.compile(
    r"(\.github/workflows/[^/]+\.ya?ml|\.travis\.ya?ml|\.?azure-pipelines\.ya?ml|appveyor\.ya?ml"
    r"|\.circleci/config\.ya?ml|\.gitlab-ci\.ya?ml|noxfile\.py)"
)
CLASSIFIER = re.compile(r"Programming Language :: Python :: (3\.\d+)")
TOX_ENV = re.compile(r"\bpy(?:thon)?-?(3)\.?(\d+)\b")
TOX_BRACES = re.compile(r"\bpy(3?)\.?\{([^}]*)\}")
# `python-version: [3.8, "3.9"]`, `python: 3.8`, `python=3.8`, and a travis list's `- 3.8`.
CI_LINE = re.compile(r"python|^\s*-\s*['\"]?3\.\d+['\"]?\s*$", re.IGNORECASE)
CI_VERSION = re.compile(r"(?<![\d.])3\.(?:[6-9]|1\d)(?![\d])")


@dataclass(frozen=True)
class Named:
    """What one place of a project says of the Pythons it runs on.

    Attributes:
        where: file and key, for a person.
        versions: those it names.
    """

    where: str
    versions: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """A Python and why.

    Attributes:
        others: what to take where it cannot be had, the nearest first.
    """

    python: str
    reason: str
    others: tuple[str, ...] = ()


def choose_python(as_of: str, requires: tuple[str, str], named: Iterable[Named]) -> Choice:
    """Chooses among the Pythons that were out at a date and that the project supports.

    Of those the nearest to 3.9: newer ones break old projects, older ones lack packages.

    Args:
        as_of: ISO date.
        requires: where `requires-python` (or Poetry's or setup.py's) stands, and what it says.
    """
    today = _day(as_of)
    where, specifiers = requires
    out = [version for version, (begun, _) in LIFE.items() if begun <= today] or ["3.6"]
    allowed = [version for version in out if _allows(specifiers, version)]
    supported = allowed or [version for version in LIFE if _allows(specifiers, version)] or out
    found = [one for one in named if set(one.versions) & set(supported)]
    tested = [version for version in supported if any(version in one.versions for one in found)]
    if not specifiers and not found:
        best = _nearest(_sound(supported, today), FALLBACK)
        return Choice(best, "no file of the project names one", _by_distance(supported, best))
    best = _nearest(_sound(tested or supported, today), PREFERRED)
    places = [f"{where} = {specifiers}"] if specifiers else []
    places += [one.where for one in found if best in one.versions]
    reason = f"{'; '.join(places)}; of {', '.join(tested or supported)} as of {today}"
    return Choice(best, reason, _by_distance(supported, best))


def _allows(specifiers: str, version: str) -> bool:
    """Whether a version of that minor is allowed; what cannot be read forbids nothing."""
    try:
        allowed = SpecifierSet(specifiers)
    except InvalidSpecifier:
        return True
    return any(allowed.contains(f"{version}.{micro}") for micro in (0, 5, 15, 99))


def _sound(versions: list[str], today: date) -> list[str]:
    """Those that had settled and were still cared for, where there are any."""
    settled = [one for one in versions if LIFE[one][0] + SETTLING <= today] or versions
    return [one for one in settled if today <= LIFE[one][1]] or settled


def settled(as_of: str, python: str) -> tuple[str, ...]:
    """The starts of a date's year and half year, as ISO dates, where the Python was there by then.

    Dependencies are taken as of these, as far as the project allows: its tasks share them.
    """
    today = _day(as_of)
    begun = LIFE.get(python, LIFE["3.6"])[0]
    starts = (date(today.year, 1, 1), date(today.year, 7 if today.month > 6 else 1, 1))
    return tuple(f"{start}T00:00:00Z" for start in dict.fromkeys(starts) if begun + WHEELS <= start)


def _day(as_of: str) -> date:
    return datetime.fromisoformat(as_of.replace("Z", "+00:00")).astimezone(UTC).date()


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def _nearest(versions: list[str], wanted: str) -> str:
    return min(versions, key=lambda one: (abs(_minor(one) - _minor(wanted)), _minor(one)))


def _by_distance(versions: list[str], best: str) -> tuple[str, ...]:
    rest = [one for one in versions if one != best]
    return tuple(sorted(rest, key=lambda one: (abs(_minor(one) - _minor(best)), _minor(one))))


def pythons_of_classifiers(where: str, classifiers: Iterable[str]) -> Named:
    """The minor versions among trove classifiers."""
    found = (CLASSIFIER.search(line) for line in classifiers)
    return Named(where, tuple(match[1] for match in found if match))


def pythons_of_tox(text: str) -> Named:
    """The minor versions in names of environments: `py39`, `py3.9`, `py{38,39}`, `py3{8,9}`."""
    found = [f"3.{match[2]}" for match in TOX_ENV.finditer(text)]
    for match in TOX_BRACES.finditer(text):
        for part in re.split(r"[,\s]+", match[2]):
            minor = re.fullmatch(r"\.?(\d+)" if match[1] else r"3\.?(\d+)", part)
            found += [f"3.{minor[1]}"] if minor else []
    return Named("tox.ini envlist", tuple(dict.fromkeys(found)))


def pythons_of_ci(files: Mapping[str, str]) -> list[Named]:
    """The minor versions on lines that speak of Python, and in lists below such a line."""
    named = []
    for path in sorted(filter(CI_FILES.fullmatch, files)):
        found: list[str] = []
        for line in files[path].split("\n"):
            if CI_LINE.search(line) and not line.lstrip().startswith("#"):
                found += CI_VERSION.findall(line)
        if found:
            named.append(Named(path, tuple(dict.fromkeys(found))))
    return named
