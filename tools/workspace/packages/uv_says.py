"""What uv says where it fails, read for what can be done about it."""

import re

from packaging.utils import canonicalize_name

MOST_WORDS = 600
UNSATISFIABLE = "No solution found"
NAME = "([A-Za-z0-9][A-Za-z0-9._-]*)"
UPLOADED_ANEW = re.compile(
    rf"`{NAME}` was filtered by `exclude-newer`[^`]*?published at (\d{{4}}-\d\d-\d\d)T"
)
# What a requirement asks for and no release before the date is.
TOO_OLD = re.compile(
    rf"(?:only (?:the following versions of )?|there (?:is|are) no versions? of ){NAME}"
    # Old metadata that uv does not read: a later release may have others.
    rf"|{NAME}(?:[<>=!~]\S*)? has invalid metadata"
)
INCONSISTENT = re.compile(rf"{NAME}==(\S+) has inconsistent metadata")
NEEDS = re.compile(rf"(?<![\w.]){NAME}[<>=!~][^ ]* depends on {NAME}>=([^\s,]+)")
UNREADABLE = re.compile(rf"Metadata for `{NAME}` \(v([^)\s]+)\) could not be parsed")
NOT_BUILT = re.compile(rf"Failed to (?:download and )?build `{NAME}(?:==[^`]*)?`")
# What builds say that look for a compiler in vain.
NO_COMPILER = re.compile(
    r"command '[^']*(?:gcc|g\+\+|cc|clang)[^']*' failed|unable to execute '?\S*(?:gcc|cc|g\+\+)"
    r"|(?:gcc|g\+\+|cc|clang|c\+\+)\S*: (?:command )?not found|Unknown compiler"
    r"|No such file or directory: '\S*(?:gcc|g\+\+|cc|clang)'|CMAKE_C(?:XX)?_COMPILER"
    r"|no acceptable C compiler"
)


def uploaded_anew(said: str) -> dict[str, str]:
    """What has no release at all before the date, and the day of its newest: by name."""
    said = " ".join(said.split())
    return {
        match[1]: match[2]
        for match in UPLOADED_ANEW.finditer(said)
        if re.search(rf"there are no versions of {re.escape(match[1])}(?![\w.<>=!~-])", said)
    }


def too_old(said: str) -> frozenset[str]:
    """Names whose releases before the date are not what is asked for."""
    if UNSATISFIABLE not in said:
        return frozenset()
    plain = " ".join(said.partition("hint:")[0].split())
    return frozenset(canonicalize_name(m[1] or m[2]) for m in TOO_OLD.finditer(plain))


def named(said: str, names: frozenset[str]) -> frozenset[str]:
    """Those of the names that an explanation is about: in it the versions do not go together."""
    if UNSATISFIABLE not in said:
        return frozenset()
    words = re.findall(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", said.partition("hint:")[0])
    return names & {canonicalize_name(word) for word in words}


def inconsistent(said: str) -> dict[str, str]:
    """Versions by name that say of themselves to be others: no resolution can have them."""
    return {match[1]: match[2] for match in INCONSISTENT.finditer(" ".join(said.split()))}


def needed_by(said: str, names: frozenset[str]) -> dict[str, str]:
    """What the distributions of these names need at least, where that is what does not fit."""
    if UNSATISFIABLE not in said:
        return {}
    found = NEEDS.finditer(" ".join(said.split()))
    return {canonicalize_name(m[2]): m[3] for m in found if canonicalize_name(m[1]) in names}


def unreadable(said: str) -> dict[str, str]:
    """Versions by name of what would do, if uv could read its metadata."""
    return {match[1]: match[2] for match in UNREADABLE.finditer(" ".join(said.split()))}


def not_built(said: str) -> list[str]:
    """Names of source distributions that could not be built."""
    return NOT_BUILT.findall(said)


def wants_compiler(said: str) -> bool:
    """Whether a build looked for a compiler and found none."""
    return NO_COMPILER.search(said) is not None


def reason(said: str) -> str:
    """In one line that names the requirement."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", said)
    # Frames and arrows of its drawing.
    head, _, trace = re.sub(r"[^\x00-\x7f]", " ", text).partition("[std")
    words = " ".join(
        re.sub(r"^\s*(error|cause|hint|warning):", "", line) for line in head.splitlines()
    )
    last = next((line for line in reversed(trace.splitlines()) if _says_why(line)), "")
    return " ".join(f"{words}: {last}".split() if last else words.split())[:MOST_WORDS]


def _says_why(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith(("hint:", "[", "note:"))
