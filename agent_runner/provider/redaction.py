"""A key taken out of whatever is kept or shown, in every spelling it may have come back in."""

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

HIDDEN = "***"
SECRET_CHARS = 8
"""A shorter key is a placeholder (`none`, `dummy`): hiding it would damage what a model writes."""


class Redactor:
    """Hides one key: as it is, escaped in JSON, percent-encoded in a URL, or within base64."""

    def __init__(self, key: str) -> None:
        spellings = sorted(set(_spellings(key)), key=len, reverse=True)
        found = "|".join(map(re.escape, spellings)) if len(key) >= SECRET_CHARS else "(?!)"
        self._in_text = re.compile(found)
        self._in_bytes = re.compile(found.encode())

    def text(self, text: str) -> str:
        """Return `text` without the key."""
        return self._in_text.sub(HIDDEN, text)

    def body(self, body: bytes) -> bytes:
        """Return `body` without the key."""
        return self._in_bytes.sub(HIDDEN.encode(), body)


def _spellings(key: str) -> Iterator[str]:
    yield key
    escaped = json.dumps(key)[1:-1]
    yield from (escaped, escaped.replace("/", r"\/"))
    for quoted in (quote(key, safe=""), quote_plus(key)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), quoted)
    for before in range(3):
        standard = _within_base64(key.encode(), before)
        yield from (standard, standard.translate(str.maketrans("+/", "-_")))


def _within_base64(key: bytes, before: int) -> str:
    """Return what of the key's base64 does not depend on its neighbours, `before` bytes on."""
    encoded = base64.b64encode(bytes(before) + key).decode()
    return encoded[-(-8 * before // 6) : 8 * (before + len(key)) // 6]
