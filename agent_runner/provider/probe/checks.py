"""The questions themselves: what is asked, and what a good answer is."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic_core import from_json

from agent_runner.provider.probe.asking import Question, Told
from agent_runner.provider.records import Usage

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam

TOOL = "note"
WORD = "pong"
LONG_BYTES = 20_000
_LINE_BYTES = 40
_THINK = re.compile(r"\s*<think>(.*?)</think>\s*", re.DOTALL)
_WORDS = ["amber", "brook", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet"]

NOTE: "ChatCompletionFunctionToolParam" = {
    "type": "function",
    "function": {
        "name": TOOL,
        "description": "Writes a text down.",
        "parameters": {
            "type": "object",
            "properties": {"text": {"type": "string", "description": "The text, exactly."}},
            "required": ["text"],
            "additionalProperties": False,
        },
    },
}


def long_text() -> str:
    """Return 20 kB in numbered lines: no two are alike, and a model can tell where it is."""
    lines = []
    for number in range(LONG_BYTES // _LINE_BYTES):
        words = " ".join(_WORDS[(number * step + step) % len(_WORDS)] for step in (1, 2, 4, 5, 7))
        lines.append(f"{number:04d} {words}"[: _LINE_BYTES - 1].ljust(_LINE_BYTES - 1, "."))
    return "\n".join(lines) + "\n"


def short_call() -> Question:
    """Ask for one call of the tool."""
    return Question([_user(f"Call the tool {TOOL} once, with the text {WORD}.")], [NOTE])


def long_call() -> Question:
    """Ask for a call with a long argument."""
    asked = (
        f"Call the tool {TOOL} once. Its text is everything between the two marks below, exactly, "
        f"with every line and without the marks.\n<<<BEGIN>>>\n{long_text()}<<<END>>>"
    )
    return Question([_user(asked)], [NOTE], max_tokens=16_384)


def cut() -> Question:
    """Ask for more than one reply may hold."""
    return Question([_user("Count from 1 to 500, in words, one number a line.")], max_tokens=16)


def goes_on(told: Told, *, with_reasoning: bool) -> Question:
    """Give the result of the first call, with the reasoning before it or without."""
    content = told.message.get("content")
    message: dict[str, object] = {
        "role": "assistant",
        "content": content or None,
        "tool_calls": told.message.get("tool_calls"),
    }
    field, reasoning = reasoning_of(told) or ("", "")
    if with_reasoning and field != "think":
        message[field] = reasoning
    if not with_reasoning and field == "think" and isinstance(content, str):
        message["content"] = _THINK.sub("", content) or None
    (call, *_) = _list(told.message.get("tool_calls"))
    answered: list[Mapping[str, object]] = [
        {"role": "tool", "tool_call_id": call.get("id"), "content": f"noted: {WORD}"}
    ]
    return Question([*short_call().messages, message, *answered], [NOTE])  # type: ignore[list-item]


def has_whole_calls(told: Told) -> bool:
    """Say whether the reply's calls can be put into a history as they came."""
    calls = _list(told.message.get("tool_calls"))
    return len(calls) == 1 and isinstance(calls[0].get("id"), str)


def noted(told: Told) -> str | None:
    """Return the text of the one call of the tool, None where the reply is another one."""
    content = told.reply.result.content if told.reply else None
    if not isinstance(content, list) or len(content) != 1 or content[0].name != TOOL:
        return None
    text = from_json(content[0].arguments).get("text")
    return text if isinstance(text, str) else None


def reasoning_of(told: Told) -> tuple[str, str] | None:
    """Return the field the reasoning came in, and its text; `think` is the content itself."""
    for field in ("reasoning_content", "reasoning"):
        text = told.message.get(field)
        if isinstance(text, str) and text.strip():
            return field, text
    content = told.message.get("content")
    found = _THINK.match(content) if isinstance(content, str) else None
    return ("think", found[1]) if found else None


def compared(got: str) -> str:
    """Say where a copy of the long text leaves it."""
    wanted = long_text()
    place = next((n for n, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b), None)
    if place is None:
        return f"{len(got)} of {len(wanted)} characters came back"
    there = slice(place, place + 20)
    return f"differs at character {place}: {wanted[there]!r} became {got[there]!r}"


def counted(usages: list[Usage]) -> tuple[bool, str]:
    """Say which token counts the replies had."""
    names = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")
    there = {name: sum(getattr(usage, name) is not None for usage in usages) for name in names}
    total = len(usages)
    said = [f"{name} {_share(there[name], total)}" for name in names]
    return min(there["prompt_tokens"], there["completion_tokens"]) == total, ", ".join(said)


def _share(count: int, total: int) -> str:
    return {0: "never", total: "always"}.get(count, f"in {count} of {total} replies")


def _user(text: str) -> "ChatCompletionMessageParam":
    return {"role": "user", "content": text}


def _list(calls: object) -> list[Mapping[str, object]]:
    return [call for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
