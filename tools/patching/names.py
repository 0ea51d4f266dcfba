"""The names in the header lines of a diff: quoting, time stamps, `/dev/null`."""

import re

from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal

__all__ = ["at_epoch", "decode", "git_pair", "header_name", "is_pair", "plain_name", "rooted"]

DEV_NULL = "/dev/null"
# A name and what `diff -u` writes after it: a tab, or blanks, and the time of the file.
_STAMP = re.compile(
    rb"\s+(?:\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d .*)$"
)
# The start of 1970 in any zone: what `diff -N` gives a file that does not exist.
_EPOCH = re.compile(rb"\s(?:1970-01-01|1969-12-31)[ T]\d\d:\d\d(?::\d\d(?:\.0*)?)?")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
_LETTERS = {
    b"a": b"\a",
    b"b": b"\b",
    b"t": b"\t",
    b"n": b"\n",
    b"v": b"\v",
    b"f": b"\f",
    b"r": b"\r",
}


def decode(raw: bytes) -> str:
    """Bytes of a path as text from which the same bytes can be made again (`surrogateescape`)."""
    return raw.decode("utf-8", "surrogateescape")


def header_name(line: bytes) -> str:
    """The name on a `--- ` or `+++ ` line; "" for `/dev/null`."""
    rest = line[4:].rstrip(b"\r").lstrip(b" ")
    quoted = _QUOTED.match(rest)
    if quoted:
        name = _unquote(quoted.group())
    else:
        raw, tab, _ = rest.partition(b"\t")
        name = decode(raw if tab else _STAMP.sub(b"", rest).rstrip())
    return "" if name == DEV_NULL else name


def at_epoch(line: bytes) -> bool:
    """Whether a `+++ ` line bears the time that `diff -N` gives to a file that does not exist."""
    return _EPOCH.search(line) is not None


def plain_name(raw: bytes) -> str:
    """The name after `rename from `, `*** Update File: ` and the like."""
    raw = raw.strip()
    quoted = _QUOTED.fullmatch(raw)
    return _unquote(raw) if quoted else decode(raw)


def git_pair(line: bytes) -> tuple[str, str] | None:
    """Both names of a `diff --git` line as written, None where they cannot be told apart.

    Names with blanks are not quoted by git: the line is cut where both halves name the same file
    (git-diff(1), "Generating patch text").
    """
    rest = line[len(b"diff --git ") :].strip()
    quoted = [_unquote(match.group()) for match in _QUOTED.finditer(rest)]
    if len(quoted) == 2:
        return quoted[0], quoted[1]
    if len(quoted) == 1:
        bare = decode(_QUOTED.sub(b"", rest).strip())
        return (quoted[0], bare) if rest.startswith(b'"') else (bare, quoted[0])
    words = rest.split(b" ")
    if len(words) == 2:
        return decode(words[0]), decode(words[1])
    cuts = [(b" ".join(words[:at]), b" ".join(words[at:])) for at in range(1, len(words))]
    same = [(decode(old), decode(new)) for old, new in cuts if is_pair(decode(old), decode(new))]
    return same[0] if len(same) == 1 else None


def is_pair(old: str, new: str) -> bool:
    """Whether two names, prefixes aside, are those of one file, or one of them of no file."""
    return not old or not new or bool({old, rooted(old)} & {new, rooted(new)})


def rooted(name: str) -> str:
    """The name without its first part."""
    return name.partition("/")[2] or name


def _unquote(quoted: bytes) -> str:
    return decode(_ESCAPE.sub(_plain_byte, quoted[1:-1]))


def _plain_byte(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    if len(code) == 3:
        value = int(code, 8)
        if value > 255:
            raise PatchRefusal(Reason.MALFORMED, "A quoted file name holds an octal above 377.")
        return bytes([value])
    return _LETTERS.get(code, code)
