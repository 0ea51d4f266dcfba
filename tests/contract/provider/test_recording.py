"""What is recorded of an agent's run over HTTP, and what never is."""

import base64
import errno
import json
from pathlib import Path
from typing import Any

import pytest

from agent_runner.errors import UsageError
from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, ResolvedModel
from agent_runner.provider.recording.lines import Header, sha256_of
from agent_runner.provider.recording.recorder import Recorder
from agent_runner.provider.recording.recording import Recording
from agent_runner.provider.redaction import Redactor
from agent_runner.testing.behaviour import Canned
from agent_runner.testing.endpoint import FakeEndpoint
from tests.contract.provider.recorded import (
    FAULTS,
    KEY,
    SCRIPT,
    World,
    lines,
    opened,
    read,
    record,
    work,
)


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
