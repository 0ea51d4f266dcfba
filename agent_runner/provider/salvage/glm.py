"""GLM: `<tool_call>NAME<arg_key>k</arg_key><arg_value>v</arg_value></tool_call>`.

Sometimes the opening `<arg_value>` is missing (vllm-project/vllm#49248), and a call without
arguments ends with a stray `</arg_value>`.
"""

import re

from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.tagged import Tags, read_tagged
from agent_runner.provider.salvage.written import Broken, Form, Read

_TAGS = Tags(
    call=re.compile(
        r"<tool_call>\s*+(?P<name>[A-Za-z_][\w.:\-]{0,127}+)\s*+(?:</arg_value>\s*+)?"
        r"(?=<arg_key>|</tool_call>|<tool_call>|\Z)"
    ),
    argument=re.compile(r"<arg_key>(?P<key>[^<>]{1,128}+)</arg_key>\s*+(?:<arg_value>)?"),
    argument_end=re.compile(r"</arg_value>"),
    call_end=re.compile(r"</tool_call>"),
)
# "between <tool_call> and </tool_call>"
_PROSE = re.compile(r"<tool_call>\s++[\w.:\-]{1,128}+\s*+(?!\s|<arg_key>)")


def _read(text: str, at: int, offer: Offer) -> Read:
    read = read_tagged(text, at, offer, _TAGS)
    if isinstance(read, Broken) and _PROSE.match(text, at):
        return None
    return read


GLM = Form(r"<tool_call>", _read)
