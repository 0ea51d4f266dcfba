"""A reply of a megabyte takes linear time, whatever it is made of."""

import asyncio
import json
import time
from contextlib import suppress

import pytest

from agent_runner.provider.reply import UnusableReply, parse_reply
from tests.corpora.replies.corpus import offered
from tests.corpora.replies.generate import MARKUP
from tests.corpora.replies.render import RENDERINGS

OFFER = asyncio.run(offered())
SIZE_CHARS = 1_000_000
MOST_S = 3.0  # half a second is usual; what is not linear takes minutes

OPENERS = (
    "<tool_call>",
    '<tool_call>{"name": "swe_pytest", "arguments": {"k": "',
    "<tool_call>{",
    "<tool_call>[{",
    "<tool_call>swe_pytest<arg_key>k</arg_key><arg_value>",
    "<tool_call>swe_pytest<arg_key>",
    "<arg_key>k</arg_key><arg_value>",
    "<function=swe_pytest>",
    "<function=swe_pytest>\n<parameter=k>\n",
    "<parameter=k>",
    "</parameter>",
    "</parameter>\n</function>\n",
    "</arg_value>",
    "</arg_value></tool_call>",
    "<|tool_calls_section_begin|>",
    "<|tool_call_begin|>",
    "<|tool_call_begin|>functions.swe_pytest:0<|tool_call_argument_begin|>",
    "<|tool_call_begin|>functions.swe_pytest:0<|tool_call_argument_begin|>{",
    "functions.swe_pytest:0<|tool_call_argument_begin|>",
    "functions.",
    "<\uff5ctool\u2581call\u2581begin\uff5c>function<\uff5ctool\u2581sep\uff5c>swe_pytest\n```json\n{",
    '<\uff5cDSML\uff5cinvoke name="swe_pytest">',
    '<\uff5cDSML\uff5cparameter name="k" string="true">',
    '<|open|>call tool="swe_pytest" index="1"<|sep|>',
    '<|open|>argument key="k" type="string"<|sep|>',
    "```json\n",
    '```json\n{"name": "swe_pytest", "arguments": {"k": "',
    "```\n",
    "````",
    "<think>",
    "</think>",
    "`",
    '`<tool_call>{"name": "swe_pytest", "arguments": {}}</tool_call>',
    "`<tool_call>swe_pytest<arg_key>k</arg_key><arg_value>` ",
    "> <tool_call>swe_pytest<arg_key>k</arg_key><arg_value>\n",
    " <tool_call>swe_pytest<arg_key>k</arg_key><arg_value>x</arg_value>\n",
    "+<tool_call>swe_pytest</tool_call>\n",
    "@@ -1 +1 @@\n <tool_call>swe_pytest</tool_call>\n",
    "    <tool_call>swe_pytest</tool_call>\n",
    "[TOOL_CALLS]",
    "<function_calls>",
    " ",
    "\n",
    "\t\n",
    "{",
    "[",
    '{"a":',
    "'",
    '"',
    "\\",
    "{'a': 'b', ",
    "{'a': '\\'",
    "}",
    "<|",
    "<|im_end|>",
    "a",
)
PATTERNS = (*OPENERS, *MARKUP, *(form.render([("swe_pytest", {"k": "x"})]) for form in RENDERINGS))


def body(message: dict[str, object]) -> bytes:
    return json.dumps({"choices": [{"message": message, "finish_reason": "length"}]}).encode()


def parse_s(message: dict[str, object]) -> float:
    """Processor seconds to read a reply; what is no reply at all is as good."""
    raw = body({"content": "x", **message})
    began_s = time.process_time()
    with suppress(UnusableReply):
        parse_reply(raw, None, OFFER)
    return time.process_time() - began_s


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: repr(pattern)[:40])
def test_a_megabyte_of_anything_is_read_in_linear_time(pattern: str) -> None:
    text = (pattern * (SIZE_CHARS // len(pattern) + 1))[:SIZE_CHARS]
    call: dict[str, object] = {"id": "c", "function": {"name": "swe_pytest", "arguments": text}}
    named: dict[str, object] = {"id": "c", "function": {"name": text, "arguments": "{}"}}
    head = '<tool_call>{"name": "swe_pytest", "arguments": {"k": "x"}}</tool_call>'
    taken_s = {
        "content": parse_s({"content": text}),
        "before a call": parse_s({"content": text + head}),
        "after a call": parse_s({"content": head + text}),
        "within a call": parse_s({"content": f"<tool_call>swe_pytest<arg_key>k</arg_key>{text}"}),
        "arguments": parse_s({"tool_calls": [call]}),
        "name": parse_s({"tool_calls": [named]}),
    }
    assert {where: round(s, 2) for where, s in taken_s.items() if s > MOST_S} == {}
