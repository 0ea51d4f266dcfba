"""Suggestions for a name that is not there."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], most: int = 3) -> str:
    """The closest known names as the end of a sentence: `; did you mean a or b?`, or ""."""
    found = difflib.get_close_matches(name, list(known), n=most, cutoff=0.4)
    return f"; did you mean {' or '.join(found)}?" if found else ""
