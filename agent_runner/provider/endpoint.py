"""The one HTTP connection to a model's endpoint: one attempt in, one reply or typed fault out."""

import asyncio
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import ClientError
from httpx2 import Response
from openai import (
    APIConnectionError,
    APIStatusError,
    AsyncOpenAI,
    DefaultAioHttpClient,
    Omit,
)
from pydantic_core import to_json

from agent_runner.errors import ProviderKind
from agent_runner.provider.faults import AnswerFault, fault_of, invocation_of
from agent_runner.provider.profile import ModelProfile, ResolvedModel, is_loopback
from agent_runner.provider.reply import Reply, parse_reply

if TYPE_CHECKING:
    from openai.types.chat import (
        ChatCompletionFunctionToolParam,
        ChatCompletionMessageParam,
        ChatCompletionToolChoiceOptionParam,
    )

_HIDDEN = b"***"
_NO_SUCCESS = 300


@dataclass(frozen=True)
class ChatRequest:
    """What one model call asks; the same for every attempt.

    Attributes:
        extra: keys of this call only, laid over those of the profile.
    """

    messages: list["ChatCompletionMessageParam"]
    tools: list["ChatCompletionFunctionToolParam"]
    tool_choice: "ChatCompletionToolChoiceOptionParam"
    extra: Mapping[str, object]

    @property
    def tool_names(self) -> Collection[str]:
        """The names the model may call."""
        return {tool["function"]["name"] for tool in self.tools}


class _OnlyWhatWeSend(AsyncOpenAI):
    """The SDK's client without the headers it takes from OPENAI_* variables of the environment."""

    @property
    def default_headers(self) -> dict[str, str | Omit]:
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "agent-runner",
            "Authorization": f"Bearer {self.api_key}",
        }


class Endpoint:
    """One endpoint with one key, shared by all episodes of a process; close it when they are done.

    Redirects are not followed, so that no request leaves the origin its key belongs to, and
    loopback is reached past any proxy of the environment.
    """

    def __init__(self, resolved: ResolvedModel) -> None:
        profile = resolved.profile
        self._profile = profile
        self._key = resolved.api_key.get_secret_value()
        self._sdk = _OnlyWhatWeSend(
            api_key=self._key,
            organization="",
            project="",
            base_url=profile.base_url,
            timeout=profile.timeout_s,
            max_retries=0,
            http_client=_connections(profile),
        )

    async def send(self, request: ChatRequest) -> Reply:
        """Make one attempt.

        Raises:
            AnswerFault: a status other than 2xx, no connection, or no whole answer in `timeout_s`.
            UnusableReply: success with a body of no use.
            ContextOverflow: the prompt does not fit the model.
        """
        status, headers, body = await self._exchange(request)
        if status >= _NO_SUCCESS:
            raise fault_of(status, headers, body)
        return parse_reply(body, invocation_of(headers), request.tool_names)

    async def close(self) -> None:
        """Close the connections."""
        await self._sdk.close()

    async def _exchange(self, request: ChatRequest) -> tuple[int, Mapping[str, str], bytes]:
        try:
            # The SDK's own limit is per read: an endpoint that drips bytes would never hit it.
            async with asyncio.timeout(self._profile.timeout_s):
                # `chat.completions.create` walks the whole history in Python, 20 ms for 500 kB.
                answer = await self._sdk.post(
                    "/chat/completions", cast_to=Response, content=self._body(request)
                )
        except APIStatusError as error:
            answer = error.response
        except (TimeoutError, APIConnectionError, ClientError, ssl.SSLError) as error:
            raise self._no_answer(error) from error
        return answer.status_code, answer.headers, self._without_key(answer.content)

    def _body(self, request: ChatRequest) -> bytes:
        parameters: dict[str, object] = {
            "model": self._profile.model,
            "messages": request.messages,
            "max_tokens": self._profile.max_tokens,
        }
        if self._profile.temperature is not None:
            parameters["temperature"] = self._profile.temperature
        if request.tools:
            parameters["tools"] = request.tools
            # Two tools at once would share one working tree.
            parameters["parallel_tool_calls"] = False
            if request.tool_choice != "auto":
                parameters["tool_choice"] = request.tool_choice
        return to_json({**parameters, **self._profile.extra_body, **request.extra})

    def _no_answer(self, error: Exception) -> AnswerFault:
        # The SDK says "Connection error." or "timed out", also of a connection that was closed.
        causes = _causes(error)
        reason = " ".join(str(causes[-1]).split()) or type(causes[-1]).__name__
        if any(isinstance(cause, TimeoutError) for cause in causes):
            reason = f"no whole answer in {self._profile.timeout_s:g} s"
        message = f"no answer from {self._profile.base_url}: {reason}"
        return AnswerFault(ProviderKind.UNAVAILABLE, message, retryable=True)

    def _without_key(self, body: bytes) -> bytes:
        return body.replace(self._key.encode(), _HIDDEN) if len(self._key) > len("none") else body


def _connections(profile: ModelProfile) -> DefaultAioHttpClient:
    trusted: ssl.SSLContext | bool = True
    if profile.base_url.startswith("http:"):
        # No TLS will be spoken; an empty context trusts nobody and is made in no time.
        trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return DefaultAioHttpClient(
        follow_redirects=False,
        timeout=profile.timeout_s,
        trust_env=not is_loopback(profile.base_url),
        verify=trusted,
    )


def _causes(error: BaseException) -> list[BaseException]:
    """Return the error, what caused it, and so on to the innermost."""
    causes = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    return causes
