"""The name and then JSON arguments in one tag: `<tool_call>NAME\\n{...}</tool_call>`."""

import re

from agent_runner.provider.salvage.framed import Frame, read_framed
from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.written import Form, Read

_FRAME = Frame(
    call=re.compile(r"<tool_call>\s*+(?P<name>[A-Za-z_][\w.:\-]{0,127}+)\s*+(?=\{|```)"),
    call_end=re.compile(r"</tool_call>"),
    stop=re.compile(r"</?tool_call>"),
)


def _read(text: str, at: int, offer: Offer) -> Read:
    return read_framed(text, at, offer, _FRAME)


TAGGED_NAME = Form(r"<tool_call>", _read)
