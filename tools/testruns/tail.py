"""The end of a command's output, as results and models see it."""

import re

from tools.testruns.ansi import strip_ansi

MAX_LINES = 20
MAX_CHARS = 2_000

# A progress bar writes one very long "line"; what lies before this window is overwritten anyway.
_WINDOW = 1 << 20
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def tail(text: str | bytes, lines: int = MAX_LINES, chars: int = MAX_CHARS) -> str:
    r"""The last `lines` lines of `text`, at most `chars` characters, readable without a terminal.

    Escape sequences are removed, a line that was overwritten after `\r` shows its last state, and
    bytes that are not UTF-8 become U+FFFD. The end is kept where the limit cuts; a final newline
    does not count as a line.
    """
    if lines <= 0 or chars <= 0:
        return ""
    window = text[-_WINDOW:]
    if isinstance(window, bytes):
        window = window.decode("utf-8", errors="replace")
    readable = _SURROGATE.sub("\ufffd", strip_ansi(window)).removesuffix("\n")
    shown = [_last_state(line) for line in readable.split("\n")[-lines:]]
    return "\n".join(shown)[-chars:]


def _last_state(line: str) -> str:
    """What a terminal shows of a line in which carriage returns overwrote earlier text."""
    return next((part for part in reversed(line.split("\r")) if part), "")
