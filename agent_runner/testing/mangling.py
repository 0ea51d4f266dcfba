"""Replies with status 200 that are not what the API promises."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from pydantic import JsonValue
from pydantic_core import from_json, to_json

from agent_runner.testing.behaviour import Behaviour
from agent_runner.testing.chat import Chat

Tree = dict[str, JsonValue]
Change = Callable[[Tree], JsonValue]
Mangle = Callable[[Tree], JsonValue | bytes]
_SUCCESS = 200
_HUGE_BYTES = 40 * 1024 * 1024


@dataclass(frozen=True)
class Mangled:
    """A reply that was computed, and is billed, with something wrong in it.

    Attributes:
        mangle: takes the completion's JSON and gives what is sent; bytes are sent as they are.
        encoding: the `Content-Encoding` that is claimed, "" for none.
    """

    inner: Behaviour
    mangle: Mangle
    content_type: str = "application/json"
    encoding: str = ""

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        """Answer with the mangled body; what is no reply is passed on as it is."""
        whole = await self.inner.respond(request, chat)
        if whole.status != _SUCCESS or not isinstance(whole, web.Response):
            return whole
        if not isinstance(whole.body, bytes):
            return whole
        tree = from_json(whole.body)
        mangled = self.mangle(tree) if isinstance(tree, dict) else tree
        raw = mangled if isinstance(mangled, bytes) else to_json(mangled)
        headers = {"Content-Type": self.content_type}
        if self.encoding:
            headers["Content-Encoding"] = self.encoding
        return web.Response(body=raw, headers=headers)


def with_choices(value: JsonValue) -> Mangle:
    """`choices` is something else than a list with one choice."""
    return lambda tree: {**tree, "choices": value}


def without(key: str) -> Mangle:
    """A key is missing."""
    return lambda tree: {name: value for name, value in tree.items() if name != key}


def replaced_by(body: JsonValue | bytes) -> Mangle:
    """Something else comes in the reply's place."""
    return lambda tree: body


def with_message(**changes: JsonValue) -> Mangle:
    """Fields of the message are something else."""
    return _in_choice(
        lambda choice: {**choice, "message": {**_object(choice, "message"), **changes}}
    )


def with_finish_reason(value: JsonValue) -> Mangle:
    """The finish reason is something else."""
    return _in_choice(lambda choice: {**choice, "finish_reason": value})


def with_null_tokens(tree: Tree) -> JsonValue:
    """The token counts are there and null."""
    return {**tree, "usage": {**dict.fromkeys(_object(tree, "usage")), "total_tokens": None}}


def with_null_ids(tree: Tree) -> JsonValue:
    """Tool calls have no id."""
    return _in_calls(lambda call: {**call, "id": None})(tree)


def with_objects_as_arguments(tree: Tree) -> JsonValue:
    """Arguments are an object and not its JSON text."""
    return _in_calls(_with_object)(tree)


def cut(tree: Tree) -> bytes:
    """The JSON ends in its middle."""
    raw = to_json(tree)
    return raw[: len(raw) // 2]


def with_invalid_utf8(tree: Tree) -> bytes:
    """A byte that no UTF-8 text has stands inside the message."""
    return to_json(tree).replace(b'"role":"assistant"', b'"role":"assist\xffant"', 1)


def not_gzip(tree: Tree) -> bytes:
    """The body is said to be compressed, and is cut off."""
    return gzip.compress(to_json(tree))[:20]


def huge(tree: Tree) -> bytes:
    """The body is far larger than any reply."""
    return to_json(tree)[:-1] + b" " * _HUGE_BYTES + b"}"


def _in_choice(change: Change) -> Change:
    def mangle(tree: Tree) -> JsonValue:
        choices = tree.get("choices")
        if not isinstance(choices, list):
            return tree
        return {**tree, "choices": [change(c) if isinstance(c, dict) else c for c in choices]}

    return mangle


def _in_calls(change: Change) -> Change:
    def in_choice(choice: Tree) -> JsonValue:
        message = _object(choice, "message")
        calls = message.get("tool_calls")
        if not isinstance(calls, list):
            return choice
        changed: list[JsonValue] = [change(c) if isinstance(c, dict) else c for c in calls]
        return {**choice, "message": {**message, "tool_calls": changed}}

    return _in_choice(in_choice)


def _with_object(call: Tree) -> JsonValue:
    function = _object(call, "function")
    text = function.get("arguments")
    if not isinstance(text, str):
        return call
    return {**call, "function": {**function, "arguments": from_json(text)}}


def _object(tree: Tree, key: str) -> Tree:
    value = tree.get(key)
    return value if isinstance(value, dict) else {}
