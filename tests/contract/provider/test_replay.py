"""A recorded run played again without an endpoint, as it was or told where it differs."""

from pathlib import Path
from typing import Any

import pytest

from agent_runner.errors import ProviderFault, UsageError
from agent_runner.provider.recording.recording import Recording, is_recording
from agent_runner.provider.recording.replay import Mode
from agent_runner.provider.retries import RetryPolicy
from agent_runner.testing.behaviour import Behaviour, Canned, Drop
from tests.contract.provider.recorded import (
    FAULTS,
    SCRIPT,
    World,
    lines,
    read,
    record,
    replay,
    timeless,
    write,
)


async def test_a_replay_has_the_same_attempts_and_ends(path: Path) -> None:
    recorded = await record(path, [*FAULTS, SCRIPT])
    assert [attempt.status for attempt in recorded[0].attempts] == [429, 429, None, None, 200, 200]
    again = path.with_name("again.jsonl")
    played, told = await replay(path, again=again)
    assert timeless(played) == timeless(recorded)
    assert told == []
    assert all(record.duration_s < 0.15 for record in played), "no wait is played"

    def bare(file: Path) -> list[dict[str, Any]]:
        kept = {"call", "attempt", "request", "broke"}
        return [{k: v for k, v in line.items() if k in kept} for line in lines(file)[1:]]

    assert bare(again) == bare(path)


@pytest.mark.parametrize(
    "fault",
    [
        Drop(),
        Canned({"detail": "busy"}, 500),
        Canned(b"<html>"),
        Canned({"detail": "No instances available (yet)"}, 503),
        Canned({"detail": "who?"}, 401),
    ],
    ids=["dropped", "500", "no JSON", "no instances", "401"],
)
async def test_a_call_that_was_given_up_is_given_up_again(path: Path, fault: Behaviour) -> None:
    impatient = RetryPolicy(
        base_wait_s=0.001, patience_s=0.03, no_instances_patience_s=0.03, unusable_attempts=3
    )
    with pytest.raises(ProviderFault) as then:
        await record(path, [SCRIPT, fault], retries=impatient)
    with pytest.raises(ProviderFault) as now:
        await replay(path)
    assert str(now.value) == str(then.value)
    assert (now.value.kind, now.value.retryable) == (then.value.kind, then.value.retryable)
    assert len(lines(path.with_name("again.jsonl"))) == len(lines(path))


@pytest.mark.parametrize("mode", ["strict", "lenient"])
async def test_times_ids_and_paths_may_differ(path: Path, mode: Mode) -> None:
    await record(path, [SCRIPT])
    played, told = await replay(path, World({"a": "2 failed in 13.40s", "b": "5 passed"}), mode)
    assert len(played) == 3
    assert told == []


async def test_a_call_without_an_id_gets_another_one_each_time(path: Path) -> None:
    call = {"id": None, "function": {"name": "look", "arguments": '{"at": "a"}'}}
    message = {"content": None, "tool_calls": [call]}
    unnamed = Canned({"choices": [{"message": message}], "usage": {}})
    await record(path, [unnamed, SCRIPT])
    played, told = await replay(path, mode="lenient")
    assert len(played) == 3
    assert told == []
    again = path.with_name("again.jsonl")
    ids = [
        lines(each)[2]["request"]["messages"][0]["tool_calls"][0]["id"] for each in (path, again)
    ]
    assert ids[0] != ids[1]


async def test_another_result_of_a_tool_ends_a_strict_replay(path: Path) -> None:
    await record(path, [SCRIPT])
    with pytest.raises(ProviderFault) as caught:
        await replay(path, World({"a": "3 failed in 0.12s", "b": "5 passed"}))
    assert caught.value.message == (
        f"the run differs from {path} at call 2, messages[3] (result of look).content: "
        'recorded "2 failed in <time>", now "3 failed in <time>"; '
        "--set replay=lenient goes on past results of tools"
    )
    assert (caught.value.kind, caught.value.retryable) == ("provider_reply", False)
    assert len(lines(path.with_name("again.jsonl"))) == 3, "no further call"


async def test_a_lenient_replay_tells_of_it_once_and_goes_on(path: Path) -> None:
    await record(path, [SCRIPT])
    played, told = await replay(path, World({"a": "3 failed", "b": "5 passed"}), "lenient")
    assert len(played) == 3
    (said,) = told
    assert "at call 2 messages[3] (result of look)" in said


@pytest.mark.parametrize("mode", ["strict", "lenient"])
async def test_another_tool_ends_any_replay(path: Path, mode: Mode) -> None:
    await record(path, [SCRIPT])
    with pytest.raises(ProviderFault, match=r'at call 1, tool look\.description: recorded "looks'):
        await replay(path, World(description="stares"), mode)


async def test_a_run_that_goes_on_is_told_where_the_recording_ends(path: Path) -> None:
    await record(path, [SCRIPT])
    whole = read(path)
    write(path, whole[:-100])
    with pytest.raises(ProviderFault, match="ends after call 2: its last line is cut off"):
        await replay(path)
    write(path, whole[: whole.rindex(b'{"type": "exchange", "call": 3')])
    with pytest.raises(ProviderFault, match="ends after call 2: the recorded run ended there"):
        await replay(path)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text.replace(b'"call": 2', b'"call": 2 ', 1)[:-1], None),
        (lambda text: text.replace(b"look at it", b"look at me", 1), "line 2 does not follow"),
        (lambda text: b"\n".join(text.split(b"\n")[:2] + text.split(b"\n")[3:]), "line 3 does not"),
        (lambda text: text.replace(b'"exchange", "call": 2', b'"exch\n', 1), "line 3 is cut or no"),
        (
            lambda text: text.replace(b'"call": 2', b'"cal": 2', 1),
            "line 3 is no exchange: unknown key 'cal'",
        ),
        (lambda text: text.replace(b'"recording": 1', b'"recording": 9', 1), "line 1 is no header"),
        (lambda text: text.split(b"\n")[0] + b"\n", "holds no exchange"),
        (lambda text: text[:40], "line 1 is no header"),
        (lambda text: b'{"type": "header", "system_prompt": ""}\n', "is a trajectory"),
    ],
)
async def test_a_damaged_recording_is_one_line(path: Path, damage: Any, said: str | None) -> None:
    await record(path, [SCRIPT])
    write(path, damage(read(path)))
    assert is_recording(path)
    if said is None:
        assert len(Recording.load(path).exchanges) == 2
        return
    with pytest.raises(UsageError, match=said) as caught:
        Recording.load(path)
    assert "\n" not in str(caught.value)
