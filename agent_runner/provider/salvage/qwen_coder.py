"""Qwen3-Coder: `<tool_call><function=NAME><parameter=k>\\nv\\n</parameter></function></tool_call>`.

The outer tag is often missing at the beginning, with or without one at the end
(ollama/ollama#16686).
"""

import re

from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.tagged import Tags, read_tagged
from agent_runner.provider.salvage.written import Form, Read

_TAGS = Tags(
    call=re.compile(r"(?:<tool_call>\s*+)?<function=[ \"']?(?P<name>[\w.:\-]{1,128}+)[ \"']?>"),
    argument=re.compile(r"<parameter=[ \"']?(?P<key>[\w.\-]{1,128}+)[ \"']?>"),
    argument_end=re.compile(r"</parameter>"),
    call_end=re.compile(r"</function>(?:\s*+</tool_call>)?|</tool_call>"),
    margin=True,
)


def _read(text: str, at: int, offer: Offer) -> Read:
    return read_tagged(text, at, offer, _TAGS)


QWEN_CODER = Form(r"<function=", _read)
