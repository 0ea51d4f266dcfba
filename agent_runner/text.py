"""Text of others, made fit for one line of a terminal or a log."""

from tools.testruns.ansi import strip_ansi

LONGEST_LINE = 500


def one_line(text: str, limit: int = LONGEST_LINE) -> str:
    """`text` on one line, as nothing but what a terminal prints.

    Runs of white space are one space, escape sequences are gone, what else is not printable (lone
    surrogates too, which no file takes) is U+FFFD.

    Args:
        limit: in characters; what is longer ends in `...`.
    """
    if len(text) > 4 * limit:
        text = text[: 4 * limit]
    line = " ".join(strip_ansi(text).split())
    if not line.isprintable():
        line = "".join(char if char.isprintable() else "\ufffd" for char in line)
    return line if len(line) <= limit else line[: limit - 3] + "..."
