"""Draws calls, prose and what is put around them, for the tools of the corpus and one more."""

from hypothesis import strategies as st
from pydantic import JsonValue

from agent_runner.provider.salvage.offer import OfferedTool

TABLE = OfferedTool(
    "table_write",
    {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "rows": {"type": "array", "items": {"type": "object"}},
            "options": {"type": "object"},
            "ratio": {"type": ["number", "null"]},
            "strict": {"type": "boolean"},
            "mode": {"enum": ["append", "replace"]},
        },
        "required": ["title"],
        "additionalProperties": False,
    },
)

MARKUP = (
    '<tool_call>{"name": "swe_clone", "arguments": {}}</tool_call>',
    "<tool_call>swe_clone</tool_call>",
    "<tool_call>docker_sh<arg_key>command</arg_key><arg_value>ls</arg_value></tool_call>",
    "<function=swe_clone>\n</function>",
    "<parameter=command>\nls\n</parameter>",
    "</parameter>\n</function>\n</tool_call>",
    "</arg_value>\n</tool_call>",
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.swe_clone:0"
    "<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>",
    "<\uff5ctool\u2581call\u2581begin\uff5c>swe_clone<\uff5ctool\u2581sep\uff5c>{}<\uff5ctool\u2581call\u2581end\uff5c>",
    '<\uff5cDSML\uff5cinvoke name="swe_clone"/>',
    '<|open|>call tool="swe_clone" index="1"<|sep|><|close|>call<|sep|>',
    '```json\n{"name": "swe_clone", "arguments": {}}\n```',
    "</think>",
    "<think>",
    "```",
    '"}}',
    "\\",
    '"',
    "'",
    "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
    "\r\n",
    "\u2028",
    "🎉 grün 日本",
    "TERMINATE",
)

_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXT = st.lists(st.text(_CHARACTERS, max_size=12) | st.sampled_from(MARKUP), max_size=5).map(
    "".join
)
SOME_TEXT = TEXT.filter(bool)
_NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
_VALUE: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def _some(
    required: dict[str, st.SearchStrategy[JsonValue]],
    optional: dict[str, st.SearchStrategy[JsonValue]],
) -> st.SearchStrategy[dict[str, JsonValue]]:
    return st.fixed_dictionaries(required, optional=optional)


ARGUMENTS: dict[str, st.SearchStrategy[dict[str, JsonValue]]] = {
    "swe_clone": _some({}, {"repo": TEXT, "ref": TEXT}),
    "swe_install": _some({}, {"requirements": st.lists(TEXT, max_size=3)}),
    "docker_sh": _some({"command": SOME_TEXT}, {"timeout_s": _NUMBER}),
    "swe_apply_patch": _some({"patch": TEXT}, {}),
    "swe_pytest": _some({}, {"k": TEXT, "paths": st.lists(TEXT, max_size=3)}),
    "read_output": _some(
        {"handle": TEXT},
        {"start": st.integers(-1000, 1000), "lines": st.integers(1, 1000), "grep": TEXT},
    ),
    "table_write": _some(
        {"title": TEXT},
        {
            "rows": st.lists(st.dictionaries(TEXT, _VALUE, max_size=2), max_size=2),
            "options": st.dictionaries(TEXT, _VALUE, max_size=3),
            "ratio": st.none() | _NUMBER,
            "strict": st.booleans(),
            "mode": st.sampled_from(["append", "replace"]),
        },
    ),
}

CALL = st.sampled_from(sorted(ARGUMENTS)).flatmap(
    lambda name: ARGUMENTS[name].map(lambda arguments: (name, arguments))
)
CALLS = st.lists(CALL, min_size=1, max_size=3)

_SENTENCES = (
    "I look at the code first.",
    "Let me run the tests:",
    "The parser looks for `<tool_call>` and `</tool_call>`.",
    'It says "no such file", and that\'s odd (line 12).',
    "Next step → reproduce it.",
    "```python\nx = '<tool_call>'\n```",
    '```\n<tool_call>{"name": "swe_clone", "arguments": {}}</tool_call>\n```',
    "* one\n* two",
    "日本語の説明。",
    "The marker <|tool_call_end|> is missing; a < b > c.",
    "TERMINATE comes later.",
    "1. Apply the patch.",
)
PROSE = st.lists(st.sampled_from(_SENTENCES), max_size=4).map(lambda said: "\n".join([*said, ""]))
"""Text that may stand before a call; it ends with a line break, or is empty."""

AFTER = st.sampled_from(
    (
        " Done.",
        "\nThat is it.",
        ".",
        "\n\nTERMINATE",
        " ```",
        '"',
        "\n<tool_response>ok</tool_response>",
    )
) | st.text(st.characters(categories=["L", "N"]), min_size=1).map(lambda said: f"\n{said}")
"""Text after which what stands before it is no call any more."""

AROUND = (
    ('The template gives "', '" for it.'),
    ("It is `", "` there."),
    ("It prints \u201c", "\u201d"),
    ("```\n", "\n```"),
    ("Like so:\n```xml\n", "\n```\nwhich is parsed."),
    ("~~~\n", ""),
    ("> ", ""),
    ("+", ""),
    ("--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n a\n+", ""),
    ("--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n+a\n ", ""),
    ("# ", ""),
    ("For example:\n", ""),
    ("A tool call in this format looks like this:\n\n", ""),
    ("The tests expect (", ")"),
)
"""What turns a call into something that is shown."""
