"""Model profiles: which model, where it is served, what it takes, and whose key goes there."""

from collections.abc import Mapping
from pathlib import Path
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

from agent_runner.document import read_document
from agent_runner.errors import UsageError
from agent_runner.nearest import nearest
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


def _checked_url(url: str) -> str:
    origin_of(url)
    return url.rstrip("/")


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
    base_url: Annotated[str, AfterValidator(_checked_url)]
    key_env: str | None = Field(default=None, min_length=1)
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


class ModelCatalog(BaseModel):
    """The profiles of one `models.yaml`, which maps names to profiles.

    Attributes:
        default: the profile that is used when no model is named.
    """

    model_config = _VALUE

    default: str
    models: dict[str, ModelProfile] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _named_by_their_keys(cls, tree: object) -> object:
        models = tree.get("models") if isinstance(tree, dict) else None
        if not isinstance(tree, dict) or not isinstance(models, dict):
            return tree
        named = {
            key: {"name": key, **value} if isinstance(value, dict) else value
            for key, value in models.items()
        }
        return {**tree, "models": named}

    @model_validator(mode="after")
    def _default_exists(self) -> "ModelCatalog":
        if self.default not in self.models:
            raise ValueError(f'default names an unknown model "{self.default}"')
        return self

    @classmethod
    def load(cls, path: Path) -> "ModelCatalog":
        """Read `path`.

        Raises:
            UsageError: it cannot be read or is malformed.
        """
        return read_document(path, cls)

    def pick(self, model: str | None, base_url: str | None = None) -> ModelProfile:
        """Return the profile for `--model` and `--base-url`.

        A profile is found by its name or by the id of its model. With `base_url` a model that no
        profile knows is sent as it is, with the defaults of a profile.

        Raises:
            UsageError: nobody knows the model, or the URL is none.
        """
        wanted = self.default if model is None else model
        found = self.models.get(wanted) or next(
            (each for each in self.models.values() if each.model == wanted), None
        )
        if base_url is None:
            if found is None:
                known = nearest(wanted, self.models) or f"; known: {', '.join(self.models)}"
                raise UsageError(f"unknown model {wanted!r}{known}")
            return found
        try:
            url = _checked_url(base_url)
        except ValueError as error:
            raise UsageError(f"--base-url: {error}") from error
        key_env = self._key_env_of(origin_of(url))
        if found is None:
            return ModelProfile(name=wanted, model=wanted, base_url=url, key_env=key_env)
        return found.model_copy(update={"base_url": url, "key_env": key_env})

    def resolve(
        self, model: str | None, base_url: str | None, environ: Mapping[str, str]
    ) -> ResolvedModel:
        """Return the profile for `--model` and `--base-url` with the key for its origin.

        Raises:
            UsageError: as `pick` and `with_key`.
        """
        return with_key(self.pick(model, base_url), environ)

    def _key_env_of(self, origin: tuple[str, str, int]) -> str | None:
        return next(
            (p.key_env for p in self.models.values() if origin_of(p.base_url) == origin), None
        )


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
