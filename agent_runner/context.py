"""What the model is sent: all of it, with old tool outputs elided in one step when it grows."""

from collections.abc import Sequence

from autogen_core import Component
from autogen_core.model_context import ChatCompletionContext
from autogen_core.models import (
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
)
from pydantic import BaseModel

CHARS_PER_TOKEN = 4
ELIDED = "[output left out to save room; call the tool again to see it]"
RECENT = 6  # tool results that stay whole


class NoConfig(BaseModel):
    """Built by code, from no component file."""


class ElidingContext(ChatCompletionContext, Component[NoConfig]):
    """Head, calls and results all stay; above `high` old outputs shrink until `low` is reached.

    Between two such steps the prefix does not change, so that the provider's cache works.
    """

    component_config_schema = NoConfig

    def __init__(self, budget_tokens: int, high: float, low: float) -> None:
        super().__init__()
        self._high_chars = int(budget_tokens * high * CHARS_PER_TOKEN)
        self._low_chars = int(budget_tokens * low * CHARS_PER_TOKEN)
        self._elided = 0

    async def get_messages(self) -> list[LLMMessage]:
        """The messages to send."""
        messages = self._with_elided(self._elided)
        if _size(messages) <= self._high_chars:
            return messages
        results = sum(isinstance(m, FunctionExecutionResultMessage) for m in self._messages)
        while self._elided < results - RECENT and _size(messages) > self._low_chars:
            self._elided += 1
            messages = self._with_elided(self._elided)
        return messages

    def _with_elided(self, count: int) -> list[LLMMessage]:
        shown: list[LLMMessage] = []
        for message in self._messages:
            if isinstance(message, FunctionExecutionResultMessage) and count > 0:
                count -= 1
                shown.append(_elide(message))
            else:
                shown.append(message)
        return shown

    def _to_config(self) -> NoConfig:
        return NoConfig()

    @classmethod
    def _from_config(cls, config: NoConfig) -> "ElidingContext":
        raise NotImplementedError("built by code, from no component file")


def _elide(message: FunctionExecutionResultMessage) -> FunctionExecutionResultMessage:
    def short(result: FunctionExecutionResult) -> FunctionExecutionResult:
        if len(result.content) <= len(ELIDED):
            return result
        return result.model_copy(update={"content": ELIDED})

    return FunctionExecutionResultMessage(content=[short(result) for result in message.content])


def _size(messages: Sequence[LLMMessage]) -> int:
    """Characters in all, near enough: the content's own text decides."""
    return sum(len(str(message.content)) for message in messages)
