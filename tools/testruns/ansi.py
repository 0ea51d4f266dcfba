"""Terminal escape sequences, removed from what commands print."""

import re

# ECMA-48: CSI sequences; OSC, DCS, SOS, PM and APC strings up to BEL or ST; the short escapes; and
# what is left of an unfinished one. The classes exclude every introducer, so matching stays linear.
_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\n\x1b\x90\x98\x9c-\x9f]*+(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*+[0-OQ-WYZ\\`-~]"
    r"|\x1b[\[\]PX^_]?|[\x90\x98\x9b-\x9f]"
)


def strip_ansi(text: str) -> str:
    """`text` without escape sequences; an unfinished one loses its introducer, never a line."""
    if "\x1b" not in text and text.isascii():  # most of a long log; 30 times as fast
        return text
    return _ESCAPE.sub("", text)
