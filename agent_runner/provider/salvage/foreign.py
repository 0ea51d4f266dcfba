"""Attempts at a call in a form that is not recovered, so that the model can be told."""

import re

from agent_runner.provider.salvage.decode import value_at
from agent_runner.provider.salvage.named import is_plain_call
from agent_runner.provider.salvage.offer import Offer

# Forms of models that are not salvaged, and the markers of those that are when nothing follows.
_MARKERS = re.compile(
    r"<(?:antml:)?function_calls>|<(?:antml:)?invoke\s+name=|<minimax:tool_call>|\[TOOL_CALLS\]"
    r"|<\|python_tag\|>|<\|tool_call_start\|>|<\|tool_call>|<tool_use>|<tool_code>|<function_call>"
    r"|<\|channel\|>commentary\s+to=|✿FUNCTION✿"
)
_OPENED = re.compile(
    r"(?:<\|\s?tool_calls?_(?:section_)?begin\s?\|>|<tool_call>|<\|open\|>tools<\|sep\|>"
    r"|<[|\uff5c]tool[\u2581_ ]calls?[\u2581_ ]begin[|\uff5c]>"
    r"|[|\uff5c\u2016]DSML[|\uff5c\u2016]{1,2}\s?(?:function_calls|tool_calls|calls)>)\s*\Z"
)
_NEAR_CHARS = 300


def foreign_call(text: str, offer: Offer) -> int | None:
    """Return where `text` begins an attempt at a call in another form, None where it does not."""
    for marker in _MARKERS.finditer(text):
        near = text[marker.end() : marker.end() + _NEAR_CHARS]
        if any(name in near for name in offer):
            return marker.start()
    opened = _OPENED.search(text[-_NEAR_CHARS:])
    if opened:
        return max(0, len(text) - _NEAR_CHARS) + opened.start()
    bare = text.strip()
    found = value_at(bare) if bare.startswith("{") else None
    if found and found[1] == len(bare) and is_plain_call(found[0], offer):
        return len(text) - len(text.lstrip())
    return None
