"""DeepSeek V3, R1 and V3.1: `<|tool_call_begin|>function<|tool_sep|>NAME`, then a fence with JSON.

V3.1 has the name before the separator and the JSON bare. The model's own markers have full-width
bars and block characters for the underscores; servers write them in ASCII, too.
"""

import re

from agent_runner.provider.salvage.framed import Frame, read_framed
from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.written import Form, Read


def _marker(*words: str) -> str:
    between = r"[\u2581_ ]"
    return rf"<[|\uff5c]\s?{between.join(words)}\s?[|\uff5c]>"


_SECTION = _marker("tool", "calls", "begin")
_BEGIN = _marker("tool", "call", "begin")
_SEPARATOR = _marker("tool", "sep")
_END = _marker("tool", "call", "end")
_SECTION_END = _marker("tool", "calls", "end")
_FRAME = Frame(
    call=re.compile(
        rf"(?:{_SECTION}\s*+(?:{_BEGIN}\s*+)?|{_BEGIN}\s*+)(?:function\s*+{_SEPARATOR}\s*+)?"
        rf"(?P<name>[^<>\s|\uff5c{{}}`]{{1,128}}+)\s*+(?:{_SEPARATOR}|(?=```|\{{))"
    ),
    call_end=re.compile(rf"{_END}(?:\s*+{_SECTION_END})?|{_SECTION_END}"),
    stop=re.compile(rf"{_END}|{_SECTION_END}|{_BEGIN}"),
)


def _read(text: str, at: int, offer: Offer) -> Read:
    return read_framed(text, at, offer, _FRAME)


DEEPSEEK = Form(rf"{_SECTION}|{_BEGIN}", _read)
