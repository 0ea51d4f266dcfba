"""Whether the words right before a call say that it is shown, not made."""

import re

_SEEN_CHARS = 400
# Who says what comes next is not showing it, whatever else the sentence says.
_INTENT = re.compile(
    r"\A\W*(?:(?:now|first|next|then|so|ok|okay|well|good|right|again|finally)\b[,:]?\s+)*"
    r"(?:let(?:'s|\s+me|\s+us)|i(?:'ll|'m|'d|\s+(?:will|am|want|need|should|have|would|must|can))"
    r"|we(?:'ll|\s+(?:will|need|should|must))|(?:run|check|call|apply|look|search|read)(?:n?ing)?)\b",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r"\bexamples?\b|\bshow\s+(?:you|how)\b|\be\.\s?g\b", re.IGNORECASE)
_ANNOUNCED = re.compile(
    r"\A\W*(?:here(?:'s|\s+is)\s+)?(?:for\s+)?(?:an?\s+)?example\W*\Z"
    r"|\b(?:e\.\s?g\.?|for\s+(?:example|instance))\W*\Z"
    r"|\bexample\s+(?:of\s+)?(?:an?\s+|the\s+|such\s+an?\s+)?(?:tool[- ]?|function[- ]?)?calls?\b"
    r"|\b(?:looks?|written|formatted|rendered)\s+(?:something\s+)?(?:like|as)"
    r"\s+(?:this|so|that|follows|the\s+following)\W*\Z"
    r"|\b(?:tool|function)[- ]calls?\b.{0,60}\b(?:format|syntax|form|template|markup|convention)\b"
    r"|\b(?:format|syntax|template|markup|convention)\b.{0,60}\b(?:tool|function)[- ]calls?\b"
    r"|\b(?:format|syntax|markup)\s+(?:is|looks|would\s+be)\b"
    r"|\bhow\s+(?:you|one|to|a|the)\b.{0,40}\bcalls?\b"
    r"|\b(?:never|don't|do\s+not|avoid|instead\s+of)\b.{0,40}\b(?:emit|writ|send|print|output|us)"
    r"|\b(?:model|server|parser|template|tokenizer|user|reporter|issue|report|log|test|endpoint)s?\b"
    r".{0,60}\b(?:print|emit|wrote|writ|produc|return|sen[dt]|leak|output|show|say|said|contain"
    r"|render|expect)[a-z]{0,4}\W*\Z",
    re.IGNORECASE,
)
# A fence is how everything is shown, so fewer words will do.
_SHOWN = re.compile(
    r"\b(?:example|instance|e\.g|such as|looks? like|format|syntax|template|schema|markup"
    r"|instead of|would|could|might|can|must|should|emits?|wrote|writes|sends|prints|outputs)\b",
    re.IGNORECASE,
)
_SHOWN_BELOW = re.compile(
    r"\b(?:as\s+follows|like\s+(?:this|so)|below|examples?|you\s+(?:can|could|would|should|may))\b",
    re.IGNORECASE,
)
# A sentence that cannot end here goes on with the markup as one of its words.
_GOES_ON = re.compile(
    r"\b(?:in|as|is|are|like|with|by|of|for|to|from|into|the|an?|and|or|(?:write|emit|print|contain"
    r"|say|render|expect|handle|parse|see|mean|send)s?|form|markup|tag|string)[ \t]*\Z",
    re.IGNORECASE,
)


def is_example(text: str, at: int, *, fenced: bool) -> bool:
    """Whether what is said before `at` announces something that is shown, or goes on with it."""
    seen = text[max(0, at - _SEEN_CHARS) : at]
    if not fenced and _GOES_ON.search(seen):
        return True
    before = seen.rstrip().rpartition("\n")[2]
    is_announced = before.endswith((":", ":*", ":**", ":_"))
    sentence = re.split(r"[.!?]\s", before.rstrip(":*_. "))[-1]
    if _INTENT.match(sentence) and not _EXAMPLE.search(sentence):
        return False
    if fenced and (_SHOWN if is_announced else _SHOWN_BELOW).search(sentence):
        return True
    return is_announced and _ANNOUNCED.search(sentence) is not None
