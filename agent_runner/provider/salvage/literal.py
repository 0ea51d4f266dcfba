"""A Python literal as JSON, for models that print a dict."""

import re

# Escapes that mean the same in both languages; with any other one the text is left alone.
_TOKEN = re.compile(
    r"""(?P<double>"(?:[^"\\\n]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+")"""
    r"""|(?P<single>'(?:[^'\\\n]|\\['"\\bfnrt]|\\u[0-9a-fA-F]{4})*+')"""
    r"""|\b(?P<word>True|False|None)\b|(?P<plain>[^'"TFN\\]++|[TFN])""",
    re.VERBOSE,
)
_WORDS = {"True": "true", "False": "false", "None": "null"}


def json_of_literal(text: str) -> str | None:
    """Return `text` with Python's quotes and words written as JSON; None where a quote stays open.

    Only spelling is changed. What is no JSON then, such as two strings side by side (an apostrophe
    that was not escaped), is refused by whoever decodes it.
    """
    parts: list[str] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        parts.append(_json_of(token))
        at = token.end()
    return "".join(parts)


def _json_of(token: "re.Match[str]") -> str:
    match token.lastgroup:
        case "single":
            inner = token[0][1:-1].replace(r"\'", "'")
            return '"' + re.sub(r'(\\.)|"', lambda found: found[1] or r"\"", inner) + '"'
        case "word":
            return _WORDS[token[0]]
        case _:
            return token[0]
