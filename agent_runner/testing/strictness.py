"""What real endpoints refuse with 400: a history that does not hold together, or bad settings."""

import re

from pydantic import JsonValue
from pydantic_core import from_json

from agent_runner.testing.chat import Chat, ChatMessage, ToolCall
from agent_runner.testing.listing import ListedModel
from agent_runner.testing.tokens import tokens_of

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
_SYSTEM = frozenset({"system", "developer"})


def complaint(chat: Chat, model: ListedModel) -> str | None:
    """Return why a strict endpoint would refuse `chat`, None where it would not."""
    if chat.stream:
        return "this endpoint does not stream"
    return (
        _of_settings(chat, model)
        or _of_tools(chat)
        or _of_history(chat.messages)
        or _of_order(chat.messages)
        or _of_length(chat, model)
    )


def _of_settings(chat: Chat, model: ListedModel) -> str | None:
    most = model.max_output_length
    if chat.max_tokens is not None and chat.max_tokens < 1:
        return f"max_tokens must be at least 1, got {chat.max_tokens}"
    if chat.max_tokens is not None and most is not None and chat.max_tokens > most:
        return f"max_tokens is too large: {chat.max_tokens}; this model gives at most {most}"
    if chat.temperature is not None and not 0 <= chat.temperature <= 2:
        return f"temperature must be from 0 to 2, got {chat.temperature}"
    return None


def _of_tools(chat: Chat) -> str | None:
    if chat.tools is None:
        given = {"tool_choice", "parallel_tool_calls"} & (chat.model_extra or {}).keys()
        return f"{min(given)} is only allowed when tools are given" if given else None
    if not chat.tools:
        return "tools is empty: leave it out"
    names = [each.function.name for each in chat.tools]
    if wrong := [name for name in names if not _NAME.match(name)]:
        return f"Invalid tools.function.name value {wrong[0]!r}"
    if len(set(names)) < len(names):
        return "a tool's name stands twice in tools"
    shapeless = [
        t.function.name for t in chat.tools if not _is_object_schema(t.function.parameters)
    ]
    return f"the parameters of tool {shapeless[0]!r} are no object schema" if shapeless else None


def _is_object_schema(schema: JsonValue) -> bool:
    return schema is None or (isinstance(schema, dict) and schema.get("type") == "object")


def _of_order(messages: tuple[ChatMessage, ...]) -> str | None:
    # Chat templates of open models raise on both, and the endpoint passes it on as 400.
    later = [place for place, each in enumerate(messages) if each.role in _SYSTEM]
    if any(messages[place - 1].role not in _SYSTEM for place in later if place):
        return "System message must be at the beginning"
    if not any(message.role == "user" for message in messages):
        return "No user query found in messages"
    return None


def _of_history(messages: tuple[ChatMessage, ...]) -> str | None:
    open_ids: set[str] = set()
    for place, message in enumerate(messages):
        found = _of_pairing(message, open_ids, place) or _of_message(message, place)
        if found:
            return found
        if message.role == "tool":
            open_ids.discard(message.tool_call_id or "")
        else:
            open_ids = {call.id for call in message.tool_calls or ()}
    return _unanswered(open_ids) if open_ids else None


def _of_pairing(message: ChatMessage, open_ids: set[str], place: int) -> str | None:
    if message.role == "tool":
        if message.tool_call_id in open_ids:
            return None
        return f"messages[{place}]: tool_call_id {message.tool_call_id!r} answers no open tool call"
    return _unanswered(open_ids) if open_ids else None


def _unanswered(open_ids: set[str]) -> str:
    return f"no tool message follows for the tool_calls {sorted(open_ids)}"


def _of_message(message: ChatMessage, place: int) -> str | None:
    if message.role not in _ROLES:
        return f"messages[{place}]: unknown role {message.role!r}"
    if message.role != "assistant":
        given = isinstance(message.content, str | list)
        return None if given else f"messages[{place}]: content is missing"
    if message.tool_calls is None:
        return None if message.text else f"messages[{place}]: neither content nor tool_calls"
    if not message.tool_calls:
        return f"messages[{place}]: tool_calls is empty: leave it out"
    ids = [call.id for call in message.tool_calls]
    if len(set(ids)) < len(ids):
        return f"messages[{place}]: a tool call id stands twice"
    return next((found for call in message.tool_calls if (found := _of_call(call))), None)


def _of_call(call: ToolCall) -> str | None:
    if call.type != "function":
        return f"Invalid tool_calls.type value {call.type!r}"
    if not call.id:
        return "Invalid tool_calls.id value ''"
    if not _NAME.match(call.function.name):
        return f"Invalid tool_calls.function.name value {call.function.name!r}"
    try:
        arguments = from_json(call.function.arguments, allow_inf_nan=False)
    except ValueError:
        return "Invalid tool_calls.function.arguments value, expected JSON"
    # Chat templates go through the arguments' items.
    if not isinstance(arguments, dict):
        return "Invalid tool_calls.function.arguments value, expected a JSON object"
    return None


def _of_length(chat: Chat, model: ListedModel) -> str | None:
    most = model.context_length
    if most is None:
        return None
    prompt, reply = tokens_of(chat), chat.max_tokens or 0
    if prompt + reply <= most:
        return None
    return (
        f"This model's maximum context length is {most} tokens. However, you requested "
        f"{prompt + reply} tokens ({prompt} in the messages, {reply} in the completion)."
    )
