"""The models the fake endpoint lists, as Chutes or as OpenRouter writes them."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue

_MILLION = 1_000_000


class ListShape(StrEnum):
    """Whose list `GET /v1/models` looks like."""

    CHUTES = "chutes"
    OPENROUTER = "openrouter"


class ListedModel(BaseModel):
    """One model of `GET /v1/models`; what is None is left out, as many endpoints do.

    Attributes:
        context_length: tokens of prompt and reply together; a prompt that leaves no room for
            `max_tokens` is refused with 400.
        max_output_length: tokens of one reply.
        prompt_price: US dollars per million tokens, as the other two.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    context_length: int | None = Field(default=None, gt=0)
    max_output_length: int | None = Field(default=None, gt=0)
    prompt_price: float | None = Field(default=None, ge=0)
    completion_price: float | None = Field(default=None, ge=0)
    cached_price: float | None = Field(default=None, ge=0)

    def entry(self, shape: ListShape) -> dict[str, JsonValue]:
        """Return its entry of the list."""
        if shape is ListShape.OPENROUTER:
            return self._openrouter()
        entry: dict[str, JsonValue] = {
            "id": self.id,
            "object": "model",
            "owned_by": "script",
            "context_length": self.context_length,
            "max_model_len": self.context_length,
            "max_output_length": self.max_output_length,
            # Chutes writes dollars per million tokens, as numbers.
            "pricing": {**self._prices()} or None,
            "supported_features": ["json_mode", "tools"],
        }
        return {key: value for key, value in entry.items() if value is not None}

    def _openrouter(self) -> dict[str, JsonValue]:
        # OpenRouter writes dollars per token, as text.
        prices: dict[str, JsonValue] = {
            name: _per_token(price) for name, price in self._prices().items()
        }
        top = {
            "context_length": self.context_length,
            "max_completion_tokens": self.max_output_length,
        }
        entry: dict[str, JsonValue] = {
            "id": self.id,
            "name": self.id,
            "context_length": self.context_length,
            "top_provider": {**top},
            "pricing": prices or None,
            "supported_parameters": ["max_tokens", "temperature", "tools"],
        }
        return {key: value for key, value in entry.items() if value is not None}

    def _prices(self) -> dict[str, float]:
        prices = {
            "prompt": self.prompt_price,
            "completion": self.completion_price,
            "input_cache_read": self.cached_price,
        }
        return {name: price for name, price in prices.items() if price is not None}


def _per_token(price: float) -> str:
    return f"{price / _MILLION:.12f}".rstrip("0").rstrip(".") or "0"
