"""AutoGen's own agent on our client against a scripted model, over HTTP."""

from pathlib import Path

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import TextMessage, ToolCallExecutionEvent, ToolCallRequestEvent
from autogen_core import CancellationToken
from autogen_core.tools import FunctionTool, StaticWorkbench

from agent_runner.provider.client import ModelClient
from agent_runner.provider.profile import ModelProfile, with_key
from agent_runner.provider.records import RepairKind
from agent_runner.provider.retries import RetryPolicy
from agent_runner.testing.behaviour import Behaviour, Canned
from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.script import Script

SCRIPT = """
model: scripted
reasoning_required: true
turns:
  - expect: ["add two numbers"]
    reply:
      content: I add.
      reasoning: Adding comes first.
      calls: [{tool: add, arguments: {a: 2, b: 3}}, {tool: shout, arguments: {text: hello}}]
  - expect: [{regex: "^5$"}, HELLO]
    absent: ["add two numbers"]
    reply:
      calls: [{tool: add, arguments: '{"a": 2, "b"'}]
      usage: {prompt_tokens: 100, completion_tokens: 10, cached_tokens: 90}
  - expect: ["Field required"]
    reply: {content: "5"}
"""


async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


async def shout(text: str) -> str:
    """Shout."""
    return text.upper()


def _workbench() -> StaticWorkbench:
    return StaticWorkbench(
        [FunctionTool(add, description="adds"), FunctionTool(shout, description="shouts")]
    )


async def test_an_agent_plays_a_script_through_with_faults_on_the_way(tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(SCRIPT, encoding="utf-8")
    script = Script.load(path)
    behaviours: list[Behaviour] = [Canned(status=503), script, script, Canned(b"<html>"), script]
    async with FakeEndpoint(behaviours) as endpoint:
        profile = ModelProfile(name="scripted", model="scripted", base_url=endpoint.base_url)
        async with ModelClient(with_key(profile, {}), RetryPolicy(base_wait_s=0.001)) as shared:
            client = shared.for_episode()
            agent = AssistantAgent("swe", client, workbench=_workbench())
            kinds: list[str] = []
            asked = [TextMessage(content="add two numbers", source="user")]
            for _ in range(3):
                async for event in agent.on_messages_stream(asked, CancellationToken()):
                    kinds.append(type(event).__name__)
                asked = []
    wanted = [ToolCallRequestEvent.__name__, ToolCallExecutionEvent.__name__]
    assert [kind for kind in kinds if kind in wanted] == wanted * 2
    first, second, third = client.take_records()
    assert (first.content, first.reasoning) == ("I add.", "Adding comes first.")
    assert [len(record.attempts) for record in (first, second, third)] == [2, 1, 2]
    assert second.usage.cached_tokens == 90
    assert second.repairs == {RepairKind.ARGUMENTS_INVALID: 1}
    assert third.content == "5"
    assert len(endpoint.requests) == 5
    sent = endpoint.requests[-1].chat().messages
    assert [message.role for message in sent[:4]] == ["system", "user", "assistant", "tool"]
    assert (sent[2].text, sent[2].reasoning_content) == ("I add.", "Adding comes first.")
