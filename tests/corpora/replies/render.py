"""Writes calls as models do: every form, complete, and without what may be missing at its end."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import JsonValue

Arguments = dict[str, JsonValue]
B, _ = "\uff5c", "\u2581"  # DeepSeek's bar and underscore
Written = tuple[str, Arguments]


@dataclass(frozen=True)
class Rendering:
    """One form.

    Attributes:
        render: writes calls, one after the other.
        tags: what a value may not hold, where values are not escaped; () for JSON.
        optional_end: what a model may leave out at the end.
    """

    name: str
    render: Callable[[list[Written]], str]
    tags: tuple[str, ...] = ()
    optional_end: tuple[str, ...] = ()


def _json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(value: JsonValue) -> str:
    return value if isinstance(value, str) else _json(value)


def _kimi(calls: list[Written]) -> str:
    inner = "".join(
        f"<|tool_call_begin|>functions.{name}:{number}<|tool_call_argument_begin|>"
        f"{_json(arguments)}<|tool_call_end|>"
        for number, (name, arguments) in enumerate(calls)
    )
    return f"<|tool_calls_section_begin|>{inner}<|tool_calls_section_end|>"


def _kimi_indented(calls: list[Written]) -> str:
    inner = "".join(
        f"\n<|tool_call_begin|> functions.{name}:{number} <|tool_call_argument_begin|>\n"
        f"{json.dumps(arguments, indent=2)}\n<|tool_call_end|>\n"
        for number, (name, arguments) in enumerate(calls)
    )
    return f"<|tool_call_section_begin|>{inner}<|tool_call_section_end|>"


def _kimi_channels(calls: list[Written]) -> str:
    inner = "".join(
        f'<|open|>call tool="{name}" index="{number}"<|sep|>'
        + "".join(
            f'<|open|>argument key="{key}" type="{_kind(value)}"<|sep|>{_plain(value)}'
            "<|close|>argument<|sep|>"
            for key, value in arguments.items()
        )
        + "<|close|>call<|sep|>"
        for number, (name, arguments) in enumerate(calls, start=1)
    )
    return f"<|open|>tools<|sep|>{inner}<|close|>tools<|sep|><|close|>message<|sep|>"


def _kind(value: JsonValue) -> str:
    match value:
        case str():
            return "string"
        case bool():
            return "boolean"
        case None:
            return "null"
        case dict():
            return "object"
        case list():
            return "array"
    return "number"


def _hermes(calls: list[Written]) -> str:
    return "\n".join(
        f"<tool_call>\n{_json({'name': name, 'arguments': arguments})}\n</tool_call>"
        for name, arguments in calls
    )


def _hermes_text(calls: list[Written]) -> str:
    return "".join(
        f"<tool_call>{_json({'name': name, 'arguments': _json(arguments)})}</tool_call>"
        for name, arguments in calls
    )


def _qwen_coder(calls: list[Written]) -> str:
    return "\n".join(
        f"<tool_call>\n<function={name}>\n"
        + "".join(
            f"<parameter={key}>\n{_plain(value)}\n</parameter>\n"
            for key, value in arguments.items()
        )
        + "</function>\n</tool_call>"
        for name, arguments in calls
    )


def _glm(calls: list[Written]) -> str:
    return "\n".join(
        f"<tool_call>{name}\n"
        + "".join(
            f"<arg_key>{key}</arg_key>\n<arg_value>{_plain(value)}</arg_value>\n"
            for key, value in arguments.items()
        )
        + "</tool_call>"
        for name, arguments in calls
    )


def _deepseek(calls: list[Written]) -> str:
    inner = "\n".join(
        f"<{B}tool{_}call{_}begin{B}>function<{B}tool{_}sep{B}>{name}\n```json\n{_json(arguments)}\n```"
        f"<{B}tool{_}call{_}end{B}>"
        for name, arguments in calls
    )
    return f"<{B}tool{_}calls{_}begin{B}>{inner}<{B}tool{_}calls{_}end{B}>"


def _deepseek_31(calls: list[Written]) -> str:
    inner = "".join(
        f"<{B}tool{_}call{_}begin{B}>{name}<{B}tool{_}sep{B}>{_json(arguments)}<{B}tool{_}call{_}end{B}>"
        for name, arguments in calls
    )
    return f"<{B}tool{_}calls{_}begin{B}>{inner}<{B}tool{_}calls{_}end{B}>"


def _deepseek_ascii(calls: list[Written]) -> str:
    inner = "".join(
        f"<|tool_call_begin|>{name}<|tool_sep|>{_json(arguments)}<|tool_call_end|>"
        for name, arguments in calls
    )
    return f"<|tool_calls_begin|>{inner}<|tool_calls_end|>"


def _dsml(calls: list[Written]) -> str:
    inner = "".join(
        f'<{B}DSML{B}invoke name="{name}">\n'
        + "".join(
            f'<{B}DSML{B}parameter name="{key}" string="{_says_string(value)}">{_plain(value)}'
            f"</{B}DSML{B}parameter>\n"
            for key, value in arguments.items()
        )
        + f"</{B}DSML{B}invoke>\n"
        for name, arguments in calls
    )
    return f"<{B}DSML{B}tool_calls>\n{inner}</{B}DSML{B}tool_calls>"


def _says_string(value: JsonValue) -> str:
    return "true" if isinstance(value, str) else "false"


def _fence(calls: list[Written]) -> str:
    return "\n\n".join(
        f"```json\n{json.dumps({'name': name, 'arguments': arguments}, indent=2)}\n```"
        for name, arguments in calls
    )


RENDERINGS = (
    Rendering("kimi", _kimi, optional_end=("<|tool_calls_section_end|>", "<|tool_call_end|>")),
    Rendering("kimi, indented", _kimi_indented),
    Rendering(
        "kimi channels",
        _kimi_channels,
        tags=("<|",),
        optional_end=("<|close|>message<|sep|>", "<|close|>tools<|sep|>", "<|close|>call<|sep|>"),
    ),
    Rendering("hermes", _hermes, optional_end=("</tool_call>",)),
    Rendering("hermes, arguments as text", _hermes_text, optional_end=("</tool_call>",)),
    Rendering(
        "qwen coder",
        _qwen_coder,
        tags=("<parameter", "</parameter", "<function", "</function", "tool_call>"),
        optional_end=("</tool_call>", "</function>"),
    ),
    Rendering(
        "glm", _glm, tags=("arg_key>", "arg_value>", "tool_call>"), optional_end=("</tool_call>",)
    ),
    Rendering(
        "deepseek",
        _deepseek,
        optional_end=(f"<{B}tool{_}calls{_}end{B}>", f"<{B}tool{_}call{_}end{B}>", "```"),
    ),
    Rendering(
        "deepseek 3.1",
        _deepseek_31,
        optional_end=(f"<{B}tool{_}calls{_}end{B}>", f"<{B}tool{_}call{_}end{B}>"),
    ),
    Rendering("deepseek, in ASCII", _deepseek_ascii, optional_end=("<|tool_calls_end|>",)),
    Rendering(
        "dsml",
        _dsml,
        tags=("DSML",),
        optional_end=(f"</{B}DSML{B}tool_calls>", f"</{B}DSML{B}invoke>"),
    ),
    Rendering("fence", _fence, optional_end=("```",)),
)
