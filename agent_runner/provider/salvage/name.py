"""Which of the offered tools a written name means."""

import re
from collections.abc import Collection

_PREFIX = re.compile(
    r"(?:functions?|tools?|default_api|api|namespace)\s*[.:/]+\s*|functions?_(?=\w)", re.IGNORECASE
)
_INDEX = re.compile(r"\s*:\s*\d{1,6}$|_\d{1,6}$")
# Markers of the model's own template that a server's parser left at the name.
_MARKER = re.compile(r"(?:</?[a-z_]{1,20}>|<[|\uff5c][^<>|\uff5c]{1,40}[|\uff5c]>)$")
_QUOTES = "\"'`"
_MOST_CHARS = 512


def find_name(given: str, offered: Collection[str]) -> str | None:
    """Return the offered name that `given` can only mean, None where there is none.

    Beside the name itself: with white space or quotes around it, with the prefix or the index of a
    template (`functions.swe_clone:0`, `default_api:swe_clone`, `swe_clone_0`), with a marker of the
    template at its end, and repeated (`swe_cloneswe_clone`, from servers that add up deltas).
    """
    if given in offered:
        return given
    if len(given) > _MOST_CHARS:
        return None
    name = given.strip()
    for _ in range(4):  # each kind of ornament once, in whatever order
        if name in offered:
            return name
        if found := _repeated(name, offered):
            return found
        name = _plainer(name, offered)
    return name if name in offered else None


def _plainer(name: str, offered: Collection[str]) -> str:
    if len(name) > 1 and name[0] in _QUOTES and name[-1] == name[0]:
        return name[1:-1].strip()
    bare = _MARKER.sub("", name).strip()
    if bare != name:
        return bare
    without_index = _INDEX.sub("", name)
    if without_index in offered:
        return without_index
    prefix = _PREFIX.match(name)
    return name[prefix.end() :] if prefix else without_index


def _repeated(name: str, offered: Collection[str]) -> str | None:
    for each in offered:
        times = len(name) // len(each) if each else 0
        if times > 1 and each * times == name:
            return each
    return None
