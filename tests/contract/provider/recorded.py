"""An agent's run of a few calls, to be recorded and played again."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import TextMessage
from autogen_core import CancellationToken
from autogen_core.tools import FunctionTool, StaticWorkbench

from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, ResolvedModel
from agent_runner.provider.recording.lines import Header, Level
from agent_runner.provider.recording.recorder import Recorder, stamp
from agent_runner.provider.recording.recording import Recording
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
