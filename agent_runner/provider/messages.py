"""AutoGen messages and tools as the OpenAI chat completions API writes them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, assert_never

from autogen_core import FunctionCall
from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import Tool, ToolSchema

from agent_runner.provider.profile import ReasoningPolicy
from agent_runner.provider.thought import Thought, split_thought

if TYPE_CHECKING:
    from openai.types.chat import (
        ChatCompletionAssistantMessageParam,
        ChatCompletionFunctionToolParam,
        ChatCompletionMessageFunctionToolCallParam,
        ChatCompletionMessageParam,
        ChatCompletionToolChoiceOptionParam,
    )

    class WireAssistant(ChatCompletionAssistantMessageParam, total=False):
        """The assistant message with the fields in which open models take their reasoning back."""

        reasoning_content: str
        reasoning: str


_BY_DEFAULT = ReasoningPolicy()


def wire_messages(
    messages: Sequence[LLMMessage], reasoning: ReasoningPolicy = _BY_DEFAULT
) -> list["ChatCompletionMessageParam"]:
    """Return `messages` for the wire, one tool message per result, in their order.

    Raises:
        ValueError: a message holds an image.
    """
    return [wired for message in messages for wired in _wire(message, reasoning)]


def wire_tools(tools: Sequence[Tool | ToolSchema]) -> list["ChatCompletionFunctionToolParam"]:
    """Return the schemas of `tools` for the wire."""
    return [_wire_tool(tool if isinstance(tool, dict) else tool.schema) for tool in tools]


def wire_tool_choice(
    choice: Tool | Literal["auto", "required", "none"],
) -> "ChatCompletionToolChoiceOptionParam":
    """Return the tool choice for the wire; a tool is one that must be called."""
    if isinstance(choice, str):
        return choice
    return {"type": "function", "function": {"name": choice.name}}


def _wire(
    message: LLMMessage, reasoning: ReasoningPolicy
) -> Iterable["ChatCompletionMessageParam"]:
    match message:
        case SystemMessage():
            yield {"role": "system", "content": message.content}
        case UserMessage():
            yield {"role": "user", "content": _text_of(message)}
        case AssistantMessage():
            yield _wire_assistant(message, reasoning)
        case FunctionExecutionResultMessage():
            for result in message.content:
                yield {"role": "tool", "tool_call_id": result.call_id, "content": result.content}
        case _:
            assert_never(message)


def _wire_assistant(message: AssistantMessage, policy: ReasoningPolicy) -> "WireAssistant":
    thought = split_thought(message.thought)
    if isinstance(message.content, str):
        wired: WireAssistant = {"role": "assistant", "content": message.content}
        wanted = policy.send_back == "always"
    else:
        calls = [_wire_call(call) for call in message.content]
        wired = {"role": "assistant", "content": thought.content or None, "tool_calls": calls}
        wanted = policy.send_back != "never"
    return _with_reasoning(wired, thought, policy) if wanted and thought.reasoning else wired


def _with_reasoning(
    wired: "WireAssistant", thought: Thought, policy: ReasoningPolicy
) -> "WireAssistant":
    match thought.field if policy.field == "auto" else policy.field:
        case "think":
            content = wired.get("content") or ""
            if thought.field == "think":  # as it came
                return {**wired, "content": f"<think>{thought.reasoning}</think>{content}"}
            return {**wired, "content": f"<think>\n{thought.reasoning}\n</think>\n\n{content}"}
        case "reasoning":
            return {**wired, "reasoning": thought.reasoning}
    return {**wired, "reasoning_content": thought.reasoning}


def _wire_call(call: FunctionCall) -> "ChatCompletionMessageFunctionToolCallParam":
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def _wire_tool(schema: ToolSchema) -> "ChatCompletionFunctionToolParam":
    return {
        "type": "function",
        "function": {
            "name": schema["name"],
            "description": schema.get("description", ""),
            "parameters": dict(schema.get("parameters", {"type": "object", "properties": {}})),
        },
    }


def _text_of(message: UserMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    texts = [part for part in message.content if isinstance(part, str)]
    if len(texts) != len(message.content):
        raise ValueError("images are not sent: the model client takes text only")
    return "\n".join(texts)
