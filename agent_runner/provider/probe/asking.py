"""Single questions to an endpoint, repeated while it is only busy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic_core import from_json
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from agent_runner.errors import ProviderFault
from agent_runner.provider.endpoint import ChatRequest, Endpoint
from agent_runner.provider.exchange import Exchange
from agent_runner.provider.profile import ModelProfile, Parameter, ResolvedModel
from agent_runner.provider.records import Usage
from agent_runner.provider.reply import Reply, UnusableReply

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam

ATTEMPTS = 3
LONGEST_WAIT_S = 10.0


@dataclass(frozen=True)
class Question:
    """What is asked; the parameters are those of the profile."""

    messages: list["ChatCompletionMessageParam"]
    tools: list["ChatCompletionFunctionToolParam"] = field(default_factory=list)
    max_tokens: int = 2_048


@dataclass(frozen=True)
class Told:
    """A reply, and its message as it stood in the body.

    Attributes:
        reply: None where the reply held nothing a run could use.
    """

    reply: Reply | None
    message: Mapping[str, object]
    finish_reason: str | None


class Asker:
    """Asks, and keeps count of what the replies cost."""

    def __init__(self, resolved: ResolvedModel) -> None:
        self._resolved = resolved
        self._usages: list[Usage] = []
        self._seen: Exchange | None = None
        self.counted: list[Usage] = []

    @property
    def profile(self) -> ModelProfile:
        """The parameters as they are sent now."""
        return self._resolved.profile

    def without(self, parameters: tuple[Parameter, ...]) -> None:
        """Leave out parameters from now on."""
        self._change({"omit": (*self.profile.omit, *parameters)})

    def limit_as_completion_tokens(self) -> None:
        """Say `max_completion_tokens` from now on."""
        self._change({"max_tokens_as": "max_completion_tokens"})

    def take_usages(self) -> list[Usage]:
        """Return what the replies since the last taking cost."""
        taken, self._usages = self._usages, []
        return taken

    async def ask(self, question: Question) -> Told:
        """Return the answer.

        Raises:
            ProviderFault: there is none, after some attempts where the fault may pass.
            ContextOverflow: the question does not fit the model.
        """
        retrying = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(max=LONGEST_WAIT_S),
            retry=retry_if_exception(_may_pass),
            reraise=True,
        )
        told: Told = await retrying(self._once, question)
        return told

    def exchanged(self, exchange: Exchange) -> None:
        """Keep the last exchange: what the body said is looked at as well."""
        self._seen = exchange

    async def _once(self, question: Question) -> Told:
        profile = self.profile.model_copy(update={"max_tokens": question.max_tokens})
        endpoint = Endpoint(self._resolved.model_copy(update={"profile": profile}))
        request = ChatRequest(question.messages, question.tools, "auto", {})
        reply: Reply | None = None
        try:
            reply = await endpoint.send(request, self)
        except UnusableReply as unusable:
            if self._choice() is None:
                raise
            self._count(unusable.usage or Usage())
        else:
            self._count(reply.usage)
        finally:
            await endpoint.close()
        choice = self._choice() or {}
        message, finish = choice.get("message"), choice.get("finish_reason")
        return Told(
            reply,
            message if isinstance(message, Mapping) else {},
            finish if isinstance(finish, str) else None,
        )

    def _choice(self) -> Mapping[str, object] | None:
        """The first choice of the last body, None where it has none."""
        answer = self._seen.answer if self._seen else None
        try:
            choice = from_json(answer.body)["choices"][0] if answer else None
        except (ValueError, KeyError, IndexError, TypeError):
            return None
        return choice if isinstance(choice, Mapping) else None

    def _count(self, usage: Usage) -> None:
        self._usages.append(usage)
        self.counted.append(usage)

    def _change(self, update: dict[str, object]) -> None:
        profile = self.profile.model_copy(update=update)
        self._resolved = self._resolved.model_copy(update={"profile": profile})


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, ProviderFault) and error.retryable
