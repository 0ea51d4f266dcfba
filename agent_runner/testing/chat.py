"""The parts of a chat completion request that the fake endpoint looks at."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile

from pydantic import BaseModel, ConfigDict, Field, JsonValue

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
    type: str = "function"
    function: CalledFunction


class ChatMessage(BaseModel):
    """One message of the request."""

    model_config = _FOREIGN

    role: str
    content: JsonValue = None
    tool_calls: tuple[ToolCall, ...] | None = None
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


class OfferedFunction(BaseModel):
    """A function the model may call."""

    model_config = _FOREIGN

    name: str
    parameters: JsonValue = None


class OfferedTool(BaseModel):
    """A tool the model may call."""

    model_config = _FOREIGN

    type: str = "function"
    function: OfferedFunction


class Chat(BaseModel):
    """The body of `POST /chat/completions`."""

    model_config = _FOREIGN

    model: str
    messages: tuple[ChatMessage, ...] = Field(min_length=1)
    tools: list[OfferedTool] | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    stream: bool = False
    user: str | None = None

    @property
    def conversation(self) -> str:
        """What it has in common with its other requests: a digest of `user` and of the messages
        before the first reply."""
        head = takewhile(lambda message: message.role != "assistant", self.messages)
        begun = "\0".join([self.user or "", *(f"{each.role} {each.text}" for each in head)])
        return hashlib.sha256(begun.encode("utf-8", "surrogatepass")).hexdigest()[:16]

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
