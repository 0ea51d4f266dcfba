"""A model's profile: where it is served, what it takes, and whose key goes there."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    model_validator,
)

from agent_runner.errors import UsageError
from agent_runner.provider.origin import is_loopback, origin_of
from agent_runner.provider.records import Usage

OTHER_KEY_ENV = "AGENT_RUNNER_API_KEY"
LOOPBACK_KEY = "none"

_VALUE = ConfigDict(frozen=True, extra="forbid")
_MILLION = 1_000_000
_OURS = frozenset({"model", "messages", "tools", "stream"})
_MAX_TOKENS = 8_192
_SHARE_OF_CONTEXT = 4

Parameter = Literal["temperature", "seed", "parallel_tool_calls", "tool_choice"]
"""What a request may do without."""


def checked_url(url: str) -> str:
    """Return `url` as profiles have it.

    Raises:
        ValueError: as `origin_of`.
    """
    origin_of(url)
    return url.rstrip("/")


def _checked_variable(name: str | None) -> str | None:
    # What stands here may be a key itself, which no message may repeat.
    if name is not None and not re.fullmatch("[A-Z][A-Z0-9_]*", name):
        raise ValueError("names a variable, such as CHUTES_API_KEY; keys themselves stand nowhere")
    return name


def _checked_body(body: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if taken := sorted(_OURS & body.keys()):
        raise ValueError(f"may not set {', '.join(taken)}")
    return body


class Prices(BaseModel):
    """US dollars per million tokens; without a price of their own cached tokens cost the same."""

    model_config = _VALUE

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)

    def cost_usd(self, usage: Usage) -> float | None:
        """Return what one reply cost, None where the endpoint did not count its tokens."""
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        cached = min(usage.cached_tokens or 0, usage.prompt_tokens)
        cached_price = self.prompt if self.cached is None else self.cached
        fresh = usage.prompt_tokens - cached
        total = fresh * self.prompt + cached * cached_price
        return (total + usage.completion_tokens * self.completion) / _MILLION


class ReasoningPolicy(BaseModel):
    """What an endpoint wants of the reasoning it gave.

    Attributes:
        field: where it goes in the assistant message; `auto` is the field it came in, `think` the
            beginning of the content, in `<think>` tags.
        send_back: with which of the model's earlier replies it is sent.
    """

    model_config = _VALUE

    field: Literal["auto", "reasoning_content", "reasoning", "think"] = "auto"
    send_back: Literal["always", "with_calls", "never"] = "with_calls"


class ModelProfile(BaseModel):
    """One model at one endpoint.

    Attributes:
        name: the word for `--model`.
        model: the id that is sent to the endpoint.
        base_url: where `/chat/completions` is, without it.
        key_env: the environment variable with the key of this origin; None: no variable named.
        context_tokens: what prompt and reply may hold together.
        max_tokens: what one reply may hold; not given, at most a quarter of the context.
        max_tokens_as: the parameter that says so; newer models of OpenAI refuse `max_tokens`.
        temperature, seed: None leaves it to the endpoint.
        omit: parameters the endpoint does not take, which are then never sent.
        reasoning: what it wants of the reasoning it gave.
        timeout_s: what one attempt may take from sending to the last byte.
        max_in_flight: requests under way at a time, of all episodes; None: what it bears.
        requests_per_minute: never more than so many; None: no fixed rate.
        extra_body: further keys of the request, sent as they are.
        prices: None where unknown; then the cost is unknown too, not zero.
    """

    model_config = _VALUE

    name: str = Field(min_length=1)
    model: str = Field(min_length=1)
    base_url: Annotated[str, AfterValidator(checked_url)]
    key_env: Annotated[str | None, AfterValidator(_checked_variable)] = None
    context_tokens: int = Field(default=131_072, gt=0)
    max_tokens: int = Field(default=_MAX_TOKENS, gt=0)
    max_tokens_as: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: float | None = Field(default=None, ge=0)
    seed: int | None = None
    omit: tuple[Parameter, ...] = ()
    reasoning: ReasoningPolicy = ReasoningPolicy()
    timeout_s: float = Field(default=300.0, gt=0)
    max_in_flight: int | None = Field(default=None, ge=1)
    requests_per_minute: float | None = Field(default=None, gt=0)
    extra_body: Annotated[dict[str, JsonValue], AfterValidator(_checked_body)] = {}
    prices: Prices | None = None

    @model_validator(mode="before")
    @classmethod
    def _reply_fits(cls, tree: object) -> object:
        context = tree.get("context_tokens") if isinstance(tree, dict) else None
        if not isinstance(tree, dict) or type(context) is not int or "max_tokens" in tree:
            return tree
        fits = max(1, min(_MAX_TOKENS, context // _SHARE_OF_CONTEXT))
        return tree if fits == _MAX_TOKENS else {**tree, "max_tokens": fits}

    @model_validator(mode="after")
    def _prompt_fits(self) -> "ModelProfile":
        if self.max_tokens >= self.context_tokens:
            raise ValueError(
                f"max_tokens {self.max_tokens} leaves no room in context_tokens "
                f"{self.context_tokens}"
            )
        return self


class ResolvedModel(BaseModel):
    """A profile with the key for its origin; the key is in no repr and in no dump."""

    model_config = _VALUE

    profile: ModelProfile
    api_key: SecretStr = Field(repr=False, exclude=True)


def with_key(profile: ModelProfile, environ: Mapping[str, str]) -> ResolvedModel:
    """Return `profile` with its key out of `environ`.

    A profile that names no variable takes `AGENT_RUNNER_API_KEY`; on loopback it may be absent.

    Raises:
        UsageError: the variable is not set, or what it holds cannot be sent as a header.
    """
    variable = profile.key_env or OTHER_KEY_ENV
    key = environ.get(variable, "").strip()
    if not key:
        if profile.key_env is not None or not is_loopback(profile.base_url):
            raise UsageError(f"{variable} is not set: no key for {profile.base_url}")
        key = LOOPBACK_KEY
    if not (key.isascii() and key.isprintable()):
        raise UsageError(f"{variable} holds characters that no HTTP header can carry")
    return ResolvedModel(profile=profile, api_key=SecretStr(key))
