"""The fake endpoint as users start it: a program of its own, over HTTP."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from pydantic import JsonValue

from tests.contract.testing.wire import conversation

PROGRAM = (sys.executable, "-m", "agent_runner.testing.endpoint")
LIMIT_S = 30
SCRIPT = """
model: fake
turns:
  - reply: {calls: [{tool: look}]}
  - reply: {content: TERMINATE}
"""


@dataclass
class Program:
    """The running program."""

    process: asyncio.subprocess.Process
    base_url: str

    async def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int | None, list[str]]:
        """Its exit code and the lines of stdout after the first."""
        self.process.send_signal(number)
        out, err = await self.process.communicate()
        assert b"Traceback" not in err
        return self.process.returncode, out.decode().splitlines()

    async def get(self, path: str) -> dict[str, JsonValue]:
        root = self.base_url.removesuffix("/v1")
        async with aiohttp.ClientSession() as session, session.get(root + path) as response:
            tree: dict[str, JsonValue] = await response.json()
        return tree

    async def ask(self, task: str, turn: int = 1, **extra: JsonValue) -> int | None:
        url, body = f"{self.base_url}/chat/completions", conversation(task, turn, **extra)
        try:
            async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
                await response.read()
                return response.status
        except aiohttp.ClientError:
            return None


@asynccontextmanager
async def running(*options: str) -> AsyncIterator[Program]:
    """The program, ended with the block at the latest."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*PROGRAM, *options, stdout=pipe, stderr=pipe)
    try:
        async with asyncio.timeout(LIMIT_S):
            assert process.stdout is not None
            yield Program(process, (await process.stdout.readline()).decode().strip())
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "script.yaml"
    path.write_text(SCRIPT, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_counts_and_ends_when_asked(number: signal.Signals, script: str) -> None:
    async with running("--script", script) as program:
        assert [await program.ask("a", turn) for turn in (1, 2, 3)] == [200, 200, 409]
        during = await program.get("/stats")
        code, lines = await program.end(number)
    assert code == 0
    assert json.loads(lines[-1]) == during
    assert (during["requests"], during["by_status"]) == (3, {"200": 2, "409": 1})
    assert during["billed"] == during["told"]


async def test_it_ends_with_requests_under_way(tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("schedule: [{turn: 1, fault: stall, times: null}]", encoding="utf-8")
    async with running("--faults", str(faults)) as program:
        waiting = asyncio.create_task(program.ask("a"))
        while (await program.get("/stats"))["requests"] == 0:
            continue
        code, lines = await program.end()
        assert await waiting is None
    assert code == 0
    assert json.loads(lines[-1])["by_status"] == {"none": 1}


async def test_without_a_script_each_turn_gets_the_same_text() -> None:
    async with running("--fault-rate", "0") as program:
        assert [await program.ask("a", turn) for turn in (1, 2, 9)] == [200, 200, 200]


async def test_a_seed_fails_the_same_requests_each_time_and_another_fails_others(
    script: str, tmp_path: Path
) -> None:
    seen = []
    for place, seed in enumerate((1, 1, 2)):
        faults = tmp_path / f"{place}.yaml"
        faults.write_text(
            f"{{rate: 0.5, seed: {seed}, faults: [500, 503, reset]}}", encoding="utf-8"
        )
        async with running("--script", script, "--faults", str(faults)) as program:
            asked = [asyncio.create_task(program.ask(f"task {n}")) for n in range(30)]
            seen.append(await asyncio.gather(*asked))
    assert seen[0] == seen[1] != seen[2]
    assert {*seen[0]} == {200, 500, 503, None}


async def test_the_log_has_a_line_for_each_request(script: str, tmp_path: Path) -> None:
    log, faults = tmp_path / "log.jsonl", tmp_path / "faults.yaml"
    faults.write_text("schedule: [{turn: 2, fault: lost}]", encoding="utf-8")
    async with running("--script", script, "--faults", str(faults), "--log", str(log)) as program:
        assert [await program.ask("a", turn) for turn in (1, 2, 2)] == [200, None, 200]
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [line["number"] for line in lines] == [1, 2, 3]
    assert [(line["turn"], line["asked"], line["fault"]) for line in lines] == [
        (1, 0, None),
        (2, 0, "lost"),
        (2, 1, None),
    ]
    assert [line["status"] for line in lines] == [200, None, 200]
    assert lines[1]["billed"] == lines[2]["billed"] == lines[2]["told"]
    assert lines[1]["told"]["completion"] == 0


@pytest.mark.parametrize(
    ("shape", "pricing"),
    [
        ("chutes", {"prompt": 0.5, "completion": 2.85}),
        ("openrouter", {"prompt": "0.0000005", "completion": "0.00000285"}),
    ],
)
async def test_models_are_listed_with_their_length_and_price(
    shape: str, pricing: JsonValue
) -> None:
    options = ("--model", "big", "--context-length", "1000", "--prices", "0.5", "2.85")
    async with running(*options, "--list-like", shape) as program:
        listed = (await program.get("/v1/models"))["data"]
        assert isinstance(listed, list)
        assert [(each["id"], each["context_length"]) for each in listed] == [
            ("fake", 1_000),
            ("big", 1_000),
        ]
        assert listed[1]["pricing"] == pricing
        assert await program.ask("x" * 4_000, max_tokens=1) == 400
        assert await program.ask("x" * 3_000, max_tokens=1) == 200


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--script", "absent.yaml"), "endpoint: absent.yaml: cannot be read: No such file"),
        (("--faults", "absent.yaml"), "endpoint: absent.yaml: cannot be read: No such file"),
        (("--faults", "{wrong}"), "unknown key 'ratio'; did you mean rate?"),
        (("--faults", "{wrong}", "--seed", "1"), "--faults FILE names rate and seed itself"),
        (("--seed", "1"), "--seed needs --fault-rate"),
        (("--host", "0.0.0.0"), "--host 0.0.0.0: only loopback addresses"),
        (("--host", "example.org"), "only loopback addresses"),
        (("--log", "/absent/log"), "/absent/log: cannot be written"),
        (("--port", "{taken}"), "address already in use"),
    ],
)
async def test_a_mistake_is_one_line_and_nothing_starts(
    options: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("ratio: 1", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        places = {"{wrong}": str(wrong), "{taken}": str(taken.getsockname()[1])}
        argv = [places.get(each, each) for each in options]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*PROGRAM, *argv, stdout=pipe, stderr=pipe)
        async with asyncio.timeout(LIMIT_S):
            out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert says in err.decode()
    assert len(err.decode().splitlines()) == 1
