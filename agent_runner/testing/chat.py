"""The parts of a chat completion request that the fake endpoint looks at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

# Clients send keys of their own, and a test may want to see them: extras are kept.
_FOREIGN = ConfigDict(frozen=True, extra="allow")


class CalledFunction(BaseModel):
    """Name and arguments of a tool call in the history."""

    model_config = _FOREIGN

    name: str
    arguments: str


class ToolCall(BaseModel):
    """A tool call in the history."""

    model_config = _FOREIGN

    id: str
    function: CalledFunction


class ChatMessage(BaseModel):
    """One message of the request."""

    model_config = _FOREIGN

    role: str
    content: JsonValue = None
    tool_calls: Annotated[tuple[ToolCall, ...], BeforeValidator(lambda given: given or ())] = ()
    tool_call_id: str | None = None
    reasoning_content: str | None = None

    @property
    def text(self) -> str:
        """The content as text, the parts of a list one per line."""
        if isinstance(self.content, str):
            return self.content
        parts = self.content if isinstance(self.content, list) else []
        texts = [part.get("text") for part in parts if isinstance(part, dict)]
        return "\n".join(text for text in texts if isinstance(text, str))


class Chat(BaseModel):
    """The body of `POST /chat/completions`."""

    model_config = _FOREIGN

    model: str
    messages: tuple[ChatMessage, ...] = Field(min_length=1)
    stream: bool = False

    @property
    def turn(self) -> int:
        """The turn that is asked for, from 1: one more than the replies in the history."""
        return 1 + sum(message.role == "assistant" for message in self.messages)

    @property
    def newest(self) -> str:
        """What the model has not answered yet: tool and user messages after its last reply."""
        fresh: list[str] = []
        for message in reversed(self.messages):
            if message.role == "assistant":
                break
            if message.role in {"tool", "user"}:
                fresh.append(message.text)
        return "\n".join(reversed(fresh))


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def chat(self) -> Chat:
        """Return the body of a chat completion.

        Raises:
            pydantic.ValidationError: it is none.
        """
        return Chat.model_validate_json(self.body)
