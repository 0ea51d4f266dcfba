"""Tool outputs without what differs from run to run: times, ids, temporary paths."""

import re

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DATE = r"\d{4}-\d\d-\d\d"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?"
# In this order: what an earlier pattern took is no longer there for a later one.
_VARYING = (
    (re.compile(r"(?<![\w.])(?:/var)?/tmp/[^\s'\":,;)\]]+"), "<path>"),
    (re.compile(rf"\b{_DATE}[T ]{_CLOCK}(?: ?(?:Z|[+-]\d\d:?\d\d))?"), "<time>"),
    (re.compile(rf"\b(?:{_MONTHS}) +\d{{1,2}} +(?:{_CLOCK}(?: \d{{4}})?|\d{{4}})\b"), "<time>"),
    (re.compile(rf"(?<![\w:.]){_CLOCK}\b(?!:)"), "<time>"),
    (
        re.compile(r"\b\d+(?:\.\d+)? ?(?:[nu\u00b5\u03bcm]?s|secs?|seconds?|min|minutes?)\b"),
        "<time>",
    ),
    (re.compile(r"\b0x[0-9a-fA-F]{4,}\b"), "<id>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b"), "<id>"),
    # Bars around a line are as long as what stands in it leaves room for.
    (re.compile(r"([=_*~-])\1{3,}"), r"\1\1\1\1"),
)


def likeness(text: str) -> str:
    """Return what `text` has in common with the same output of another run."""
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return text
