"""Whether the words right before a call say that it is an example."""

import re

_SEEN_CHARS = 400
_ANNOUNCED = re.compile(
    r"\A\W*(?:here(?:'s|\s+is)\s+)?(?:for\s+)?(?:an?\s+)?example\W*\Z"
    r"|\b(?:e\.\s?g\.?|for\s+(?:example|instance))\W*\Z"
    r"|\bexample\s+(?:of\s+)?(?:an?\s+|the\s+|such\s+an?\s+)?(?:tool[- ]?|function[- ]?)?calls?\b"
    r"|\b(?:looks?|written|formatted|rendered)\s+(?:something\s+)?(?:like|as)"
    r"\s+(?:this|so|that|follows|the\s+following)\W*\Z"
    r"|\b(?:tool|function)[- ]calls?\b.{0,60}\b(?:format|syntax|form|template|markup|convention)\b"
    r"|\b(?:format|syntax|template|markup|convention)\b.{0,60}\b(?:tool|function)[- ]calls?\b"
    r"|\b(?:format|syntax|markup)\s+(?:is|looks|would\s+be)\b",
    re.IGNORECASE,
)
# A fence is how everything is shown, so fewer words will do.
_SHOWN = re.compile(
    r"\b(?:example|instance|e\.g|such as|looks? like|format|syntax|template|schema|markup"
    r"|instead of|would|could|might|can|must|should|emits?|wrote|writes|sends|prints|outputs)\b",
    re.IGNORECASE,
)


def is_example(text: str, at: int, *, fenced: bool) -> bool:
    """Whether the sentence before `at` announces something that is shown, not done."""
    before = text[max(0, at - _SEEN_CHARS) : at].rstrip().rpartition("\n")[2]
    if not before.endswith((":", ":*", ":**", ":_")):
        return False
    sentence = re.split(r"[.!?]\s", before.rstrip(":*_ "))[-1]
    return _ANNOUNCED.search(sentence) is not None or (
        fenced and _SHOWN.search(sentence) is not None
    )
