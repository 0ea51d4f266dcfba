"""Kimi K2: `<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{...}<|tool_call_end|>`.

A section encloses the calls, in two spellings (ggml-org/llama.cpp#17376). It may be missing, at
either end, and so may the end of a call: the model often stops before it (K2-Vendor-Verifier#12).
"""

import re

from agent_runner.provider.salvage.framed import Frame, read_framed
from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.written import Form, Read

_SECTION = r"<\|\s?tool_calls?_section_begin\s?\|>"
_BEGIN = r"<\|\s?tool_call_begin\s?\|>"
_ARGUMENTS = r"<\|\s?tool_call_argument_begin\s?\|>"
_END = r"<\|\s?tool_call_end\s?\|>"
_SECTION_END = r"<\|\s?tool_calls?_section_end\s?\|>"
_ID = r"(?P<id>(?P<name>[^<>\s|{}`]{1,128}+(?:(?<=:)\s?\d{1,6})?))"
_FRAME = Frame(
    call=re.compile(
        rf"(?:{_SECTION}\s*+)?(?:{_BEGIN}\s*+)?{_ID}\s*+(?:{_ARGUMENTS}|(?=\{{|```(?:json)?\s))"
    ),
    call_end=re.compile(rf"{_END}(?:\s*+{_SECTION_END})?|{_SECTION_END}"),
    stop=re.compile(rf"{_END}|{_SECTION_END}|{_BEGIN}"),
)


def _read(text: str, at: int, offer: Offer) -> Read:
    return read_framed(text, at, offer, _FRAME)


KIMI = Form(rf"{_SECTION}|{_BEGIN}|functions\.[\w\-]{{1,128}}+:\d{{1,6}}\s*+{_ARGUMENTS}", _read)
