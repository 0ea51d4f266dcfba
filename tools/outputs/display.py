"""Output as a person at a terminal would read it: what models are shown and patterns see."""

import re

from tools.testruns.ansi import strip_ansi

# A terminal prints none of these, and some endpoints refuse them inside a message.
_CONTROLS = dict.fromkeys((*range(9), *range(0x0E, 0x20), *range(0x7F, 0xA0)), "\ufffd")
_SPECIAL = bytes([*range(9), *range(0x0D, 0x20), 0x7F])
_ERASE = re.compile(r"(?:\x1b\[|\x9b)[02]?K")


def plain(content: bytes) -> str:
    """Output as text without colours; invalid bytes as U+FFFD."""
    return strip_ansi(content.decode("utf-8", "replace")).replace("\r\n", "\n")


def display(content: bytes) -> list[str]:
    r"""The lines of an output, ended by `\n` and nothing else, as a terminal shows them.

    Escape sequences are gone, a line with carriage returns shows its last state, bytes that are
    not UTF-8 and control characters are U+FFFD.
    """
    text = content.decode("utf-8", "replace")
    if not _is_special(content):
        return text.removesuffix("\n").split("\n") if text else []
    lines = [_last_state(line) if "\r" in line else line for line in _lines(text)]
    # A list goes in and as many lines come out: no escape sequence spans lines.
    return strip_ansi("\n".join(lines)).translate(_CONTROLS).split("\n") if lines else []


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _is_special(content: bytes) -> bool:
    """Whether there is anything but text; quick, for the logs of 100 MB that are only that."""
    if len(content.translate(None, _SPECIAL)) != len(content):
        return True
    return not content.isascii() and re.search(rb"\xc2[\x80-\x9f]", content) is not None


def _last_state(line: str) -> str:
    """A line after each part that follows a carriage return has overwritten those before it."""
    parts: list[str] = []
    size = 0
    for part in reversed(line.split("\r")):
        text = strip_ansi(part)
        parts.append(text[size:])
        size = max(size, len(text))
        if _ERASE.search(part):
            break
    return "".join(parts)
