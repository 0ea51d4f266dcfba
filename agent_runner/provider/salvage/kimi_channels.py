"""Kimi K3: `<|open|>call tool="x"<|sep|>` and `<|open|>argument key="k" type="string"<|sep|>`."""

import re

from agent_runner.provider.salvage.offer import Offer
from agent_runner.provider.salvage.tagged import Tags, read_tagged
from agent_runner.provider.salvage.written import Form, Read

_OPEN, _CLOSE, _SEP = r"<\|open\|>", r"<\|close\|>", r"<\|sep\|>"
_AROUND = rf"(?:\s*+{_CLOSE}tools{_SEP})?(?:\s*+{_CLOSE}message{_SEP})?(?:\s*+<\|end_of_msg\|>)?"
_CALL = rf"{_OPEN}\s?call\s+tool=\"(?P<name>[^\"<>\n]{{1,128}}+)\"(?:\s+index=\"\d{{1,6}}\")?{_SEP}"
_TAGS = Tags(
    call=re.compile(
        rf"(?:{_CLOSE}(?:think|response){_SEP}\s*+){{0,2}}(?:{_OPEN}tools{_SEP}\s*+)?{_CALL}"
    ),
    argument=re.compile(
        rf"{_OPEN}\s?argument\s+key=\"(?P<key>[^\"<>\n]{{1,128}}+)\""
        rf"(?:\s+type=\"(?:(?P<text>string)|(?P<json>[a-z]{{1,20}}))\")?{_SEP}"
    ),
    argument_end=re.compile(rf"{_CLOSE}argument{_SEP}"),
    call_end=re.compile(rf"{_CLOSE}call{_SEP}{_AROUND}|{_CLOSE}tools{_SEP}{_AROUND}"),
)


def _read(text: str, at: int, offer: Offer) -> Read:
    return read_tagged(text, at, offer, _TAGS)


KIMI_CHANNELS = Form(rf"{_CLOSE}(?:think|response){_SEP}|{_OPEN}(?:tools{_SEP}|call\s)", _read)
