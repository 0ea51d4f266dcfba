"""The AutoGen model client on the OpenAI SDK: non-streaming, every call recorded."""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from typing import Any, Literal

from autogen_core import CancellationToken
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelCapabilities,
    ModelFamily,
    ModelInfo,
    RequestUsage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel
from pydantic_core import to_json

from agent_runner.provider.call import ModelCall, Way
from agent_runner.provider.endpoint import ChatRequest, Endpoint
from agent_runner.provider.messages import wire_messages, wire_tool_choice, wire_tools
from agent_runner.provider.profile import ModelProfile
from agent_runner.provider.recording.recorder import Recorder
from agent_runner.provider.records import CallRecord
from agent_runner.provider.spending.allowance import Allowance

_BYTES_PER_TOKEN = 4


class EpisodeClient(ChatCompletionClient):
    """What one `AssistantAgent` talks to.

    Attributes:
        after_call: called when a call has ended and `throttled_s` says for good whose time it was.
    """

    component_type = "model"

    def __init__(
        self,
        profile: ModelProfile,
        endpoint: Endpoint,
        way: Way,
        allowance: Allowance,
        recorder: Recorder | None = None,
        closable: Collection[str] = (),
    ) -> None:
        self._recorder = recorder
        self._closable = closable
        self._endpoint = endpoint
        self._profile = profile
        self._way = way
        self._allowance = allowance
        self._records: list[CallRecord] = []
        self._under_way: ModelCall | None = None
        self._throttled_s = 0.0
        self.after_call: Callable[[], None] = _nothing
        self._last = RequestUsage(0, 0)
        self._total = RequestUsage(0, 0)

    def take_records(self) -> tuple[CallRecord, ...]:
        """Return the records of the calls since the last taking, failed ones included."""
        taken = tuple(self._records)
        self._records.clear()
        return taken

    @property
    def is_under_way(self) -> bool:
        """Whether a call is under way."""
        return self._under_way is not None

    @property
    def throttled_s(self) -> float:
        """Seconds for which the provider was late, in all calls, one under way included.

        An attempt under way counts until it is answered: it may fail, and then it was lateness.
        """
        return self._throttled_s + (self._under_way.throttled_s if self._under_way else 0.0)

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Call the model once, as often as the retry policy allows.

        Raises:
            ProviderFault: the endpoint gave no usable reply.
            ContextOverflow: the prompt does not fit the model.
            BudgetReached: the next request may cost more than is left.
            ValueError: an image, or structured output, which this client does not have.
        """
        request = ChatRequest(
            messages=wire_messages(messages, self._profile.reasoning),
            tools=wire_tools(tools),
            tool_choice=wire_tool_choice(tool_choice),
            extra={**_response_format(json_output), **(extra_create_args or {})},
            closable=self._closable,
        )
        running = asyncio.ensure_future(self._call(request))
        if cancellation_token is not None:
            cancellation_token.link_future(running)
        return await running

    async def _call(self, request: ChatRequest) -> CreateResult:
        tap = self._recorder.call() if self._recorder else None
        call = ModelCall(
            lambda sent: self._endpoint.send(sent, tap), self._way, self._allowance.of(request)
        )
        self._under_way = call
        try:
            result = (await call.run()).result
        finally:
            self._under_way = None
            self._throttled_s += call.throttled_s
            self._records.append(call.record())
            self.after_call()
        self._last = result.usage
        self._total = RequestUsage(
            self._total.prompt_tokens + self._last.prompt_tokens,
            self._total.completion_tokens + self._last.completion_tokens,
        )
        return result

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Yield the whole result at once: nothing is streamed."""
        yield await self.create(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )

    async def close(self) -> None:
        """Do nothing: the connections belong to the `ModelClient`, for other episodes too."""

    def actual_usage(self) -> RequestUsage:
        """Return the usage of the last accepted reply, zeros where the endpoint did not count."""
        return self._last

    def total_usage(self) -> RequestUsage:
        """Return the usage of all accepted replies of this episode."""
        return self._total

    def count_tokens(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()
    ) -> int:
        """Estimate the prompt's tokens as a quarter of its JSON's UTF-8 bytes, rounded up.

        A real tokenizer would be the model's own and would have to be downloaded; what counts is
        the endpoint's `prompt_tokens` of the last call.
        """
        wired = wire_messages(messages, self._profile.reasoning)
        size_bytes = len(to_json([wired, wire_tools(tools)]))
        return math.ceil(size_bytes / _BYTES_PER_TOKEN)

    def remaining_tokens(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()
    ) -> int:
        """Return what the estimate leaves of the model's context."""
        return self._profile.context_tokens - self.count_tokens(messages, tools=tools)

    @property
    def capabilities(self) -> ModelCapabilities:
        """What AutoGen asked for before it asked for `model_info`."""
        return {"vision": False, "function_calling": True, "json_output": True}

    @property
    def model_info(self) -> ModelInfo:
        """What AutoGen may ask of the model."""
        return {
            "vision": False,
            "function_calling": True,
            "json_output": True,
            "family": ModelFamily.UNKNOWN,
            "structured_output": False,
            "multiple_system_messages": False,
        }


def _nothing() -> None:
    """Nobody asked."""


def _response_format(json_output: bool | type[BaseModel] | None) -> dict[str, object]:
    if isinstance(json_output, type):
        raise ValueError("structured output by a schema is not supported by this model client")
    return {"response_format": {"type": "json_object"}} if json_output else {}
