"""The first place in which a request is not the one that was recorded, in words for a person."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent_runner.provider.recording.likeness import likeness

_BEFORE_CHARS = 50
_AFTER_CHARS = 90


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        where: the message and field, or the setting.
        recorded, now: both texts around the first place in which they differ.
        observation: whether it is in the result of a tool, which may vary between runs.
    """

    where: str
    recorded: str
    now: str
    observation: bool = False

    def __str__(self) -> str:
        return f"{self.where}: recorded {self.recorded}, now {self.now}"


def differences(
    recorded: tuple[Sequence[object], Mapping[str, object]],
    now: tuple[Sequence[object], Mapping[str, object]],
) -> Iterator[Difference]:
    """Yield what differs between two requests, each as its messages and its other settings.

    The ids of tool calls count by their order alone, and results of tools without times, ids and
    temporary paths; everything else must be the same.
    """
    yield from _of_messages(recorded[0], now[0])
    yield from _of_settings(recorded[1], now[1])


def _of_messages(recorded: Sequence[object], now: Sequence[object]) -> Iterator[Difference]:
    old_ids, new_ids = _Ids(), _Ids()
    tools: dict[str, str] = {}
    for place, (old, new) in enumerate(zip(recorded, now, strict=False)):
        plain_old, plain_new = old_ids.plain(old), new_ids.plain(new)
        tools.update(_called(plain_old))
        if plain_old == plain_new:
            continue
        role, where = _text(plain_old, "role"), f"messages[{place}]"
        if role == "tool" and (name := tools.get(_text(plain_old, "tool_call_id"))):
            where += f" (result of {name})"
        elif role:
            where += f" ({role})"
        is_result = role == "tool" == _text(plain_new, "role")
        if is_result and _alike(plain_old, plain_new):
            continue
        yield _first(plain_old, plain_new, where, observation=is_result)
    if len(recorded) != len(now):
        shorter = min(len(recorded), len(now))
        yield Difference(
            f"messages[{shorter}]", _brief(recorded[shorter:]), _brief(now[shorter:])
        )  # fmt: skip


def _of_settings(recorded: Mapping[str, object], now: Mapping[str, object]) -> Iterator[Difference]:
    old_tools, new_tools = _by_name(recorded.get("tools")), _by_name(now.get("tools"))
    for name in dict.fromkeys([*old_tools, *new_tools]):
        old, new = old_tools.get(name), new_tools.get(name)
        if old != new:
            yield _first(old, new, f"tool {name}")
    for key in dict.fromkeys([*recorded, *now]):
        if key != "tools" and recorded.get(key) != now.get(key):
            yield _first(recorded.get(key), now.get(key), key)


class _Ids:
    """Ids of calls replaced by their number: a repaired call gets a random one."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}

    def plain(self, message: object) -> object:
        if not isinstance(message, Mapping):
            return message
        plain = dict(message)
        calls = plain.get("tool_calls")
        if isinstance(calls, Sequence):
            plain["tool_calls"] = [{**call, "id": self._number(call.get("id"))} for call in calls]
        if "tool_call_id" in plain:
            plain["tool_call_id"] = self._number(plain["tool_call_id"])
        return plain

    def _number(self, identity: object) -> str:
        return self._numbers.setdefault(str(identity), f"call {len(self._numbers) + 1}")


def _called(message: object) -> Iterator[tuple[str, str]]:
    calls = message.get("tool_calls") if isinstance(message, Mapping) else None
    for call in calls if isinstance(calls, Sequence) else ():
        yield str(call.get("id")), str(call["function"]["name"])


def _alike(old: object, new: object) -> bool:
    assert isinstance(old, Mapping)
    assert isinstance(new, Mapping)
    texts = _text(old, "content"), _text(new, "content")
    rest = [{key: value for key, value in each.items() if key != "content"} for each in (old, new)]
    return likeness(texts[0]) == likeness(texts[1]) and rest[0] == rest[1]


def _first(old: object, new: object, where: str, *, observation: bool = False) -> Difference:
    """Go down to the first leaf that differs."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        key = next(k for k in dict.fromkeys([*old, *new]) if old.get(k) != new.get(k))
        return _first(old.get(key), new.get(key), f"{where}.{key}", observation=observation)
    if _is_list(old) and _is_list(new) and len(old) == len(new):  # type: ignore[arg-type]
        pairs = enumerate(zip(old, new, strict=True))  # type: ignore[call-overload]
        place = next(n for n, (a, b) in pairs if a != b)
        there = f"{where}[{place}]"
        return _first(old[place], new[place], there, observation=observation)  # type: ignore[index]
    if isinstance(old, str) and isinstance(new, str):
        if observation:
            old, new = likeness(old), likeness(new)
        return Difference(where, *_around(old, new), observation)
    return Difference(where, _brief(old), _brief(new), observation)


def _around(old: str, new: str) -> tuple[str, str]:
    """Return both texts around the first character that differs."""
    shorter = min(len(old), len(new))
    place = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    return _excerpt(old, place), _excerpt(new, place)


def _excerpt(text: str, place: int) -> str:
    begin, end = max(0, place - _BEFORE_CHARS), place + _AFTER_CHARS
    shown = json.dumps(text[begin:end], ensure_ascii=False)
    return f"{'…' if begin else ''}{shown}{'…' if end < len(text) else ''}"


def _brief(value: object) -> str:
    if value is None or value == []:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _AFTER_CHARS else f"{text[:_AFTER_CHARS]}…"


def _by_name(tools: object) -> dict[str, object]:
    listed = tools if isinstance(tools, Sequence) else []
    return {str(tool["function"]["name"]): tool["function"] for tool in listed}


def _text(message: object, key: str) -> str:
    value = message.get(key) if isinstance(message, Mapping) else None
    return value if isinstance(value, str) else ""


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
