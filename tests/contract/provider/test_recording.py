"""An agent's run recorded over HTTP, and played again without an endpoint."""

import asyncio
import base64
import errno
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import TextMessage
from autogen_core import CancellationToken
from autogen_core.tools import FunctionTool, StaticWorkbench

from agent_runner.errors import ProviderFault, UsageError
from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, ResolvedModel
from agent_runner.provider.recording.lines import Header, Level, sha256_of
from agent_runner.provider.recording.recorder import Recorder, stamp
from agent_runner.provider.recording.recording import Recording, is_recording
from agent_runner.provider.recording.replay import Mode, ReplayRetries, ReplaySource
from agent_runner.provider.records import CallRecord
from agent_runner.provider.redaction import Redactor
from agent_runner.provider.retries import RetryPolicy
from agent_runner.testing.behaviour import Behaviour, Canned, Drop, Stall
from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.script import Script

QUICK = RetryPolicy(base_wait_s=0.001)
KEY = "cpk_very/secret+key"
SCRIPT = Script.model_validate(
    {
        "model": "scripted",
        "turns": [
            {
                "reply": {
                    "content": "I look.",
                    "reasoning": "First look.",
                    "calls": [{"tool": "look", "arguments": {"at": "a"}}],
                }
            },
            {"reply": {"calls": [{"tool": "look", "arguments": {"at": "b"}}]}},
            {"reply": {"content": "done"}},
        ],
    }
)
# Every kind of end an attempt can have, before the answer that is accepted.
FAULTS: list[Behaviour] = [
    Canned({"detail": "at capacity"}, 429, {"Retry-After": "0.01", "Set-Cookie": "a=b"}),
    Canned({"detail": "at capacity"}, 429, {"Retry-After-Ms": "160"}),
    Drop(b'{"choices"'),
    Stall(),
    Canned(b"<html>\xff\xfe not UTF-8</html>"),
]


@dataclass
class World:
    """What the tool of the agent sees."""

    says: dict[str, str] = field(
        default_factory=lambda: {"a": "2 failed in 0.12s", "b": "5 passed"}
    )
    description: str = "looks"

    async def look(self, at: str) -> str:
        return self.says[at]

    def workbench(self) -> StaticWorkbench:
        return StaticWorkbench([FunctionTool(self.look, name="look", description=self.description)])


async def work(client: ModelClient, recorder: Recorder | None, world: World) -> list[CallRecord]:
    """Three turns of a real agent."""
    episode = client.for_episode(recorder)
    agent = AssistantAgent("swe", episode, workbench=world.workbench(), system_message="sys")
    asked = [TextMessage(content="look at it", source="user")]
    async with asyncio.timeout(10):
        for _ in SCRIPT.turns:
            async for _event in agent.on_messages_stream(asked, CancellationToken()):
                pass
            asked = []
    return list(episode.take_records())


def opened(path: Path, profile: ModelProfile, level: Level = "full") -> Recorder:
    header = Header(
        level=level, task_id="t", began=stamp(0), agent_runner="0", profile=profile
    )  # fmt: skip
    return Recorder(path, header, Redactor(KEY), told=lambda text: None)


async def record(
    path: Path,
    behaviours: Sequence[Behaviour],
    level: Level = "full",
    retries: RetryPolicy = QUICK,
) -> list[CallRecord]:
    async with FakeEndpoint(behaviours, models=["scripted"], api_key=KEY) as endpoint:
        profile = ModelProfile(
            name="s", model="scripted", base_url=endpoint.base_url, timeout_s=0.2
        )
        resolved = ResolvedModel.model_validate({"profile": profile, "api_key": KEY})
        with opened(path, profile, level) as recorder:
            async with ModelClient(resolved, retries) as client:
                return await work(client, recorder, World())


async def replay(
    path: Path, world: World | None = None, mode: Mode = "strict", again: Path | None = None
) -> tuple[list[CallRecord], list[str]]:
    recording = Recording.load(path)
    profile = recording.header.profile
    told: list[str] = []
    resolved = ResolvedModel.model_validate({"profile": profile, "api_key": "none"})
    source = ReplaySource(recording, mode, told.append)
    with opened(again or path.with_name("again.jsonl"), profile) as recorder:
        async with ModelClient(resolved, ReplayRetries.of(source), source) as client:
            return await work(client, recorder, world or World()), told


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def timeless(records: Sequence[CallRecord]) -> list[dict[str, Any]]:
    dumped = [record.model_dump() for record in records]
    for each in dumped:
        each["duration_s"] = each["throttle_wait_s"] = 0
        for attempt in each["attempts"]:
            attempt["duration_s"] = attempt["waited_s"] = 0
    return dumped


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "provider.jsonl"


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


async def test_what_stands_in_the_file(path: Path) -> None:
    await record(path, [*FAULTS, SCRIPT])
    header, *exchanges = lines(path)
    assert (header["type"], header["task_id"], header["level"]) == ("header", "t", "full")
    assert [(each["call"], each["attempt"]) for each in exchanges] == [
        (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (2, 1), (3, 1),
    ]  # fmt: skip
    throttled, _, dropped, stalled, foreign, accepted, second, third = exchanges
    assert throttled["response"]["status"] == 429
    assert throttled["response"]["headers"]["retry-after"] == "0.01"
    assert "set-cookie" not in throttled["response"]["headers"]
    assert (dropped["response"], stalled["response"]) == (None, None)
    assert "no answer" in dropped["broke"]
    assert "no whole answer in 0.2 s" in stalled["broke"]
    assert base64.b64decode(foreign["response"]["base64"]) == b"<html>\xff\xfe not UTF-8</html>"
    assert json.loads(accepted["response"]["text"])["choices"]
    roles = [[m["role"] for m in each["request"]["messages"]] for each in exchanges]
    assert roles == [["system", "user"], [], [], [], [], [], *[["assistant", "tool"]] * 2]
    assert [each["request"]["kept"] for each in exchanges] == [0, 2, 2, 2, 2, 2, 2, 4]
    assert second["request"]["settings"] is third["request"]["settings"] is None
    assert throttled["request"]["settings"]["model"] == "scripted"


async def test_a_request_is_whole_again_and_what_was_sent(path: Path) -> None:
    async with FakeEndpoint([SCRIPT], models=["scripted"]) as endpoint:
        profile = ModelProfile(name="s", model="scripted", base_url=endpoint.base_url)
        resolved = ResolvedModel.model_validate({"profile": profile, "api_key": "none"})
        with opened(path, profile) as recorder:
            async with ModelClient(resolved) as client:
                await work(client, recorder, World())
    sent = [json.loads(request.body) for request in endpoint.requests]
    whole = [
        {"messages": each.messages, **each.settings} for each in Recording.load(path).exchanges
    ]
    assert whole == sent
    last = dict(sent[-1])
    assert lines(path)[-1]["request"]["sha256"] == sha256_of(last.pop("messages"), last)


async def test_meta_keeps_no_texts(path: Path) -> None:
    await record(path, [*FAULTS, SCRIPT], "meta")
    text = read(path).decode()
    assert "look at it" not in text
    assert "First look" not in text
    assert [line["response"]["size_bytes"] > 0 for line in lines(path)[6:]] == [True] * 3
    with pytest.raises(UsageError, match="record: full"):
        Recording.load(path)


@pytest.mark.parametrize(
    "spelled",
    [
        KEY,
        KEY.replace("/", r"\/"),
        "cpk_very%2Fsecret%2Bkey",
        "cpk_very%2fsecret%2bkey",
        base64.b64encode(KEY.encode()).decode(),
        base64.b64encode(f"u:{KEY}".encode()).decode(),
        base64.b64encode(f"user:{KEY}:more".encode()).decode(),
        base64.urlsafe_b64encode(f"us:{KEY}?".encode()).decode(),
    ],
)
async def test_no_spelling_of_the_key_is_in_the_file(path: Path, spelled: str) -> None:
    answer = Canned(
        f'{{"error": {{"message": "wrong: {spelled}"}}}}'.encode(),
        503,
        {"X-Request-Id": f"id-{KEY}"},
    )
    await record(path, [answer, SCRIPT])
    text = read(path).decode()
    assert "wrong: " in text
    assert spelled[4:-4] not in text
    assert KEY not in text


def test_a_placeholder_is_no_secret() -> None:
    assert Redactor("dummy").text("a dummy patch") == "a dummy patch"


async def test_bad_text_in_a_tool_is_kept(path: Path) -> None:
    """Half a surrogate pair can be in no UTF-8 file, and must not end a recording."""
    profile = ModelProfile(name="s", model="m", base_url="http://127.0.0.1:9/v1")
    from agent_runner.provider.exchange import Exchange, Sent

    sent = Sent([{"role": "user", "content": "half \ud83d"}], {"model": "m"})
    with opened(path, profile) as recorder:
        recorder.call().exchanged(Exchange(sent, None, "cut", 0.0, 0.0))
    assert Recording.load(path).exchanges[0].messages[0]["content"] == "half \ud83d"


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


async def test_a_full_disk_ends_the_recording_and_not_the_run() -> None:
    told: list[str] = []
    profile = ModelProfile(name="s", model="scripted", base_url="http://127.0.0.1:9/v1")
    header = Header(level="full", task_id="t", began="", agent_runner="", profile=profile)
    async with FakeEndpoint([SCRIPT], models=["scripted"]) as endpoint:
        live = profile.model_copy(update={"base_url": endpoint.base_url})
        resolved = ResolvedModel.model_validate({"profile": live, "api_key": "none"})
        with Recorder(Path("/dev/full"), header, Redactor(KEY), told.append) as recorder:
            async with ModelClient(resolved) as client:
                assert len(await work(client, recorder, World())) == 3
            assert recorder.stopped == "No space left on device"
    (said,) = told
    assert "No space left on device" in said


async def test_a_line_that_did_not_fit_leaves_the_file_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent_runner.provider.recording import recorder as module

    class Small(module.FileIO):
        def write(self, data: Any, /) -> int:
            room = 2_000 - self.tell()
            if room <= 0:
                raise OSError(errno.ENOSPC, "full")
            return super().write(data[:room])

    monkeypatch.setattr(module, "FileIO", Small)
    await record(path, [SCRIPT])
    assert read(path).endswith(b"}\n")
    assert len(Recording.load(path).exchanges) == 1


async def test_the_file_grows_with_the_history_and_not_with_its_square(path: Path) -> None:
    from agent_runner.provider.exchange import Answer, Exchange, Sent

    profile = ModelProfile(name="s", model="m", base_url="http://127.0.0.1:9/v1")
    history: list[Any] = []
    with opened(path, profile) as recorder:
        for turn in range(60):
            history += [{"role": "user", "content": f"{turn} " + "x" * 8_000}]
            sent = Sent(list(history), {"model": "m"})
            recorder.call().exchanged(Exchange(sent, Answer(200, {}, b"{}"), None, 0.0, 0.0))
    assert len(read(path)) < 60 * 8_600
