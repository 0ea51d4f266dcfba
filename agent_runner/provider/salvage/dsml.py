"""DeepSeek V3.2 and V4: `<|DSML|invoke name="x"><|DSML|parameter name="k" string="true">`.

The bars are full-width ones, or doubled, or of another kind. The enclosing tag has three names and
is often missing (vllm-project/vllm#55954), and a call without arguments may close itself
(sgl-project/sglang#23915).
"""

import re

from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.tagged import Tags, read_tagged
from agent_runner.provider.salvage.written import Form, Read

_BAR = r"[|\uff5c\u2016]{1,2}"
_DSML = rf"{_BAR}\s?DSML\s?{_BAR}\s?"
_AROUND = r"(?:function_calls|tool_calls|calls)"
_TAGS = Tags(
    call=re.compile(
        rf"(?:<{_DSML}{_AROUND}>\s*+)?<{_DSML}invoke\s+name=\"(?P<name>[^\"<>\n]{{1,128}}+)\""
        r"\s*+(?P<empty>/)?>"
    ),
    argument=re.compile(
        rf"<{_DSML}parameter\s+name=\"(?P<key>[^\"<>\n]{{1,128}}+)\""
        r"(?:\s+string=\"(?:(?P<text>true)|(?P<json>false))\")?\s*+>"
    ),
    argument_end=re.compile(rf"</{_DSML}parameter>"),
    call_end=re.compile(rf"</{_DSML}invoke>(?:\s*+</{_DSML}{_AROUND}>)?|</{_DSML}{_AROUND}>"),
)


def _read(text: str, at: int, offer: Offer) -> Read:
    return read_tagged(text, at, offer, _TAGS)


DSML = Form(rf"<{_DSML}(?:{_AROUND}>|invoke\b)", _read)
