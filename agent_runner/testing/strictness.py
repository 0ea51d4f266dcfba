"""What real endpoints refuse with 400: a history that does not hold together."""

import json
import re

from agent_runner.testing.chat import Chat, ChatMessage, ToolCall

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


def complaint(chat: Chat) -> str | None:
    """Return why a strict endpoint would refuse `chat`, None where it would not."""
    if chat.stream:
        return "this endpoint does not stream"
    open_ids: set[str] = set()
    for place, message in enumerate(chat.messages):
        found = _of_pairing(message, open_ids, place) or _of_message(message, place)
        if found:
            return found
        if message.role == "tool":
            open_ids.discard(message.tool_call_id or "")
        else:
            open_ids = {call.id for call in message.tool_calls}
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
    if not message.tool_calls:
        return None if message.text else f"messages[{place}]: neither content nor tool_calls"
    ids = [call.id for call in message.tool_calls]
    if len(set(ids)) < len(ids):
        return f"messages[{place}]: a tool call id stands twice"
    return next((found for call in message.tool_calls if (found := _of_call(call))), None)


def _of_call(call: ToolCall) -> str | None:
    if not _NAME.match(call.function.name):
        return f"Invalid tool_calls.function.name value {call.function.name!r}"
    try:
        json.loads(call.function.arguments)
    except ValueError:
        return "Invalid tool_calls.function.arguments value, expected JSON"
    return None
