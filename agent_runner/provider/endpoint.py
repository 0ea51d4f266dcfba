"""The one HTTP connection to a model's endpoint: one attempt in, one reply or typed fault out."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import ClientConnectorError, ClientError
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
from agent_runner.provider.body import BrokenBody, read_whole
from agent_runner.provider.exchange import Answer, Exchange, Sent, Source, Tap
from agent_runner.provider.faults import AnswerFault, fault_of, invocation_of
from agent_runner.provider.origin import is_loopback
from agent_runner.provider.profile import ModelProfile, ResolvedModel
from agent_runner.provider.redaction import Redactor
from agent_runner.provider.reply import Reply, parse_reply
from agent_runner.provider.salvage.offer import Offer, offer_of

if TYPE_CHECKING:
    from openai.types.chat import (
        ChatCompletionFunctionToolParam,
        ChatCompletionMessageParam,
        ChatCompletionToolChoiceOptionParam,
    )

_NO_SUCCESS = 300


@dataclass(frozen=True)
class ChatRequest:
    """What one model call asks; the same for every attempt.

    Attributes:
        extra: keys of this call only, laid over those of the profile.
        closable: names of the tools whose arguments may be closed where they were cut off.
    """

    messages: list["ChatCompletionMessageParam"]
    tools: list["ChatCompletionFunctionToolParam"]
    tool_choice: "ChatCompletionToolChoiceOptionParam"
    extra: Mapping[str, object]
    closable: Collection[str] = ()

    @property
    def offer(self) -> Offer:
        """The tools the model may call, as its calls are measured against them."""
        return offer_of(self.tools, self.closable)


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

    Args:
        source: answers instead of the endpoint, which is then never asked.
    """

    def __init__(self, resolved: ResolvedModel, source: Source | None = None) -> None:
        profile = resolved.profile
        self._profile = profile
        self._source = source
        key = resolved.api_key.get_secret_value()
        self._redactor = Redactor(key)
        self._sdk = _OnlyWhatWeSend(
            api_key=key,
            organization="",
            project="",
            base_url=profile.base_url,
            timeout=profile.timeout_s,
            max_retries=0,
            http_client=_connections(profile),
        )

    async def send(self, request: ChatRequest, tap: Tap | None = None) -> Reply:
        """Make one attempt, of which `tap` is told.

        Raises:
            AnswerFault: a status other than 2xx, no connection, or no whole answer in `timeout_s`.
            UnusableReply: success with a body of no use.
            ContextOverflow: the prompt does not fit the model.
        """
        answer = await self._tapped(Sent(request.messages, self._settings(request)), tap)
        if answer.status >= _NO_SUCCESS:
            raise fault_of(answer.status, answer.headers, answer.body)
        return parse_reply(answer.body, invocation_of(answer.headers), request.offer)

    async def close(self) -> None:
        """Close the connections."""
        await self._sdk.close()
        if self._source is not None:
            await self._source.close()

    async def _tapped(self, sent: Sent, tap: Tap | None) -> Answer:
        began_s, clock_s = time.time(), time.monotonic()
        answer, broke = None, "cancelled before the answer came"
        try:
            answer = await (self._source.ask(sent) if self._source else self._exchange(sent))
        except AnswerFault as fault:
            broke = fault.message
            raise
        finally:
            if tap is not None:
                duration_s = time.monotonic() - clock_s
                tap.exchanged(
                    Exchange(sent, answer, None if answer else broke, began_s, duration_s)
                )
        return answer

    async def list_models(self) -> Answer:
        """Return the answer to `GET /models`, whatever its status.

        Raises:
            AnswerFault: none came.
        """
        return await self._answered(self._sdk.get("/models", cast_to=Response))

    async def _exchange(self, sent: Sent) -> Answer:
        body = to_json({"model": self._profile.model, "messages": sent.messages, **sent.settings})
        # `chat.completions.create` walks the whole history in Python, 20 ms for 500 kB.
        posted = self._sdk.post("/chat/completions", cast_to=Response, content=body)
        return await self._answered(posted)

    async def _answered(self, asking: Awaitable[Response]) -> Answer:
        try:
            # The SDK's own limit is per read: an endpoint that drips bytes would never hit it.
            async with asyncio.timeout(self._profile.timeout_s):
                answer = await asking
        except APIStatusError as error:
            answer = error.response
        except (TimeoutError, APIConnectionError, ClientError, ssl.SSLError, BrokenBody) as error:
            raise self._no_answer(error) from error
        clean = {name.lower(): self._redactor.text(text) for name, text in answer.headers.items()}
        return Answer(answer.status_code, clean, self._redactor.body(answer.content))

    def _settings(self, request: ChatRequest) -> dict[str, object]:
        profile = self._profile
        parameters: dict[str, object] = {
            "model": profile.model,
            profile.max_tokens_as: profile.max_tokens,
            "temperature": profile.temperature,
            "seed": profile.seed,
        }
        if request.tools:
            # Two tools at once would share one working tree.
            parameters |= {"tools": request.tools, "parallel_tool_calls": False}
            if request.tool_choice != "auto":
                parameters["tool_choice"] = request.tool_choice
        sent = {
            name: value
            for name, value in parameters.items()
            if value is not None and name not in profile.omit
        }
        return {**sent, **profile.extra_body, **request.extra}

    def _no_answer(self, error: Exception) -> AnswerFault:
        # The SDK says "Connection error." or "timed out", also of a connection that was closed.
        causes = _causes(error)
        told = causes[0] if isinstance(error, BrokenBody) else causes[-1]
        reason = " ".join(str(told).split()) or type(causes[-1]).__name__
        if any(isinstance(cause, TimeoutError) for cause in causes):
            reason = f"no whole answer in {self._profile.timeout_s:g} s"
        message = self._redactor.text(f"no answer from {self._profile.base_url}: {reason}")
        sent = not any(isinstance(cause, ClientConnectorError) for cause in causes)
        return AnswerFault(ProviderKind.UNAVAILABLE, message, retryable=True, sent=sent)


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
        event_hooks={"response": [read_whole]},
    )


def _causes(error: BaseException) -> list[BaseException]:
    """Return the error, what caused it, and so on to the innermost."""
    causes = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    return causes
