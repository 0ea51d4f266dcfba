import pytest
from autogen_core import FunctionCall, Image
from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import ToolSchema
from PIL import Image as Picture

from agent_runner.provider.messages import wire_messages, wire_tools
from agent_runner.provider.thought import Thought, join_thought

CALLS = [
    FunctionCall(id="a", name="x", arguments="{}"),
    FunctionCall(id="b", name="y", arguments="{}"),
]


def test_a_user_message_has_no_name() -> None:
    wired = wire_messages([SystemMessage(content="s"), UserMessage(content="u", source="user")])
    assert wired == [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]


def test_each_result_is_a_message_of_its_own() -> None:
    results = [
        FunctionExecutionResult(content="1", name="x", call_id="a", is_error=False),
        FunctionExecutionResult(content="", name="y", call_id="b", is_error=True),
    ]
    assert wire_messages([FunctionExecutionResultMessage(content=results)]) == [
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": ""},
    ]


def test_calls_go_back_with_text_and_reasoning() -> None:
    thought = join_thought(Thought("because", "I clone."))
    message = AssistantMessage(content=CALLS, source="swe", thought=thought)
    assert wire_messages([message]) == [
        {
            "role": "assistant",
            "content": "I clone.",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "x", "arguments": "{}"}},
                {"id": "b", "type": "function", "function": {"name": "y", "arguments": "{}"}},
            ],
            "reasoning_content": "because",
        }
    ]


def test_calls_without_text_have_null_content_and_no_reasoning() -> None:
    (wired,) = wire_messages([AssistantMessage(content=CALLS[:1], source="swe")])
    assert wired["content"] is None
    assert "reasoning_content" not in wired


def test_reasoning_before_a_text_answer_is_not_sent() -> None:
    message = AssistantMessage(content="done", source="swe", thought="because")
    assert wire_messages([message]) == [{"role": "assistant", "content": "done"}]


def test_an_image_is_refused() -> None:
    image = Image(Picture.new("RGB", (1, 1)))
    with pytest.raises(ValueError, match="images are not sent"):
        wire_messages([UserMessage(content=["look", image], source="user")])


def test_a_schema_without_parameters_gets_empty_ones() -> None:
    (wired,) = wire_tools([ToolSchema(name="submit")])
    assert wired["function"]["parameters"] == {"type": "object", "properties": {}}
