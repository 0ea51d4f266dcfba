"""CPU of one model call with a long history, beside the OpenAI SDK's client used plainly."""

import time

from autogen_core import FunctionCall
from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import ToolSchema
from openai import AsyncOpenAI

from agent_runner.provider.client import ModelClient
from agent_runner.provider.messages import wire_messages, wire_tools
from agent_runner.provider.profile import ModelProfile, with_key
from tests.bench.provider.server import serving
from tests.bench.row import Row, by_turns
from tests.bench.setting import Setting

TURNS = 60
RESULT_CHARS = 8_000
ROUNDS = 40
MOST_RATIO = 1.3
LINE = '    def test_something(self):  # a line of "output"\n'
LOOK: ToolSchema = {
    "name": "look",
    "description": "Shows a file of the project.",
    "parameters": {
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
        "additionalProperties": False,
    },
}


async def measure(setting: Setting) -> list[Row]:
    """Both send the same history; the endpoint runs in a process of its own."""
    history, tools = history_of(TURNS), [LOOK]
    messages, wired = wire_messages(history), wire_tools(tools)
    async with (
        serving(0.0) as url,
        ModelClient(with_key(ModelProfile(name="fake", model="fake", base_url=url), {})) as client,
        AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as sdk,
    ):
        episode = client.for_episode()

        async def ours() -> float:
            began_s = time.process_time()
            await episode.create(history, tools=tools)
            episode.take_records()
            return time.process_time() - began_s

        async def plain() -> float:
            began_s = time.process_time()
            await sdk.chat.completions.create(
                model="fake", messages=messages, tools=wired, max_tokens=8192
            )
            return time.process_time() - began_s

        for warm in (ours, plain):
            await warm()
        call, baseline = await by_turns(
            ROUNDS, {"CPU of our client": ours, "CPU of AsyncOpenAI": plain}
        )
    what = f"CPU of a model call, {TURNS} turns of {RESULT_CHARS // 1000} kB"
    return [Row(what=what, most_ratio=MOST_RATIO, measured=call, baseline=baseline)]


def history_of(turns: int) -> list[LLMMessage]:
    """A conversation of so many tool calls and their results."""
    text = (LINE * (RESULT_CHARS // len(LINE) + 1))[:RESULT_CHARS]
    history: list[LLMMessage] = [
        SystemMessage(content="You mend software. " * 100),
        UserMessage(content="The task. " * 300, source="user"),
    ]
    for turn in range(turns):
        call = FunctionCall(id=f"call_{turn}", name="look", arguments='{"path": "a.py"}')
        result = FunctionExecutionResult(content=text, call_id=call.id, name="look", is_error=False)
        history.append(AssistantMessage(content=[call], source="engineer"))
        history.append(FunctionExecutionResultMessage(content=[result]))
    return history
