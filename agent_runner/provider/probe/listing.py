"""The models an endpoint lists, as Chutes, OpenRouter, vLLM, llama.cpp and others write them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic_core import from_json

from agent_runner.provider.profile import Prices

_CONTEXT = (
    ("context_length",),
    ("max_model_len",),
    ("context_window",),
    ("max_context_length",),
    ("top_provider", "context_length"),
    ("meta", "n_ctx"),
    ("meta", "n_ctx_train"),
)
_OUTPUT = (
    ("max_output_length",),
    ("max_output_tokens",),
    ("max_completion_tokens",),
    ("top_provider", "max_completion_tokens"),
)
_PROMPT = (("pricing", "prompt"), ("pricing", "input"), ("price", "input", "usd"))
_COMPLETION = (("pricing", "completion"), ("pricing", "output"), ("price", "output", "usd"))
_CACHED = (
    ("pricing", "input_cache_read"),
    ("pricing", "cached_input"),
    ("price", "input_cache_read", "usd"),
)
_MILLION = 1_000_000
# Nobody sells a million tokens below this and no one token above it.
_PER_TOKEN_BELOW_USD = 0.001


@dataclass(frozen=True)
class Listed:
    """One model of the list; None is "it does not say".

    Attributes:
        trained_only: the length is what the model was trained for; the server may run with less.
    """

    id: str
    context_tokens: int | None
    max_output_tokens: int | None
    prices: Prices | None
    trained_only: bool = False


def read_list(body: bytes) -> dict[str, Listed]:
    """Return the models by their ids.

    Raises:
        ValueError: the body holds no list of models.
    """
    tree = from_json(body)
    rows = tree.get("data") if isinstance(tree, Mapping) else tree
    if not isinstance(rows, list):
        raise ValueError("no list of models in it")
    return {listed.id: listed for row in rows for listed in _listed(row)}


def _listed(row: object) -> Iterator[Listed]:
    identity = row.get("id") if isinstance(row, Mapping) else None
    if not isinstance(identity, str):
        return
    context = _first(row, _CONTEXT[:-1])
    trained = _first(row, _CONTEXT[-1:])
    yield Listed(
        id=identity,
        context_tokens=_tokens(trained if context is None else context),
        max_output_tokens=_tokens(_first(row, _OUTPUT)),
        prices=_prices(row),
        trained_only=context is None and trained is not None,
    )


def _prices(row: object) -> Prices | None:
    """Per token (OpenRouter, as text) or per million (Chutes): their size tells which."""
    prompt, completion = _first(row, _PROMPT), _first(row, _COMPLETION)
    if prompt is None or completion is None:
        return None
    scale = _MILLION if max(prompt, completion) < _PER_TOKEN_BELOW_USD else 1
    cached = _first(row, _CACHED)
    return Prices(
        prompt=round(prompt * scale, 9),
        completion=round(completion * scale, 9),
        cached=None if cached is None else round(cached * scale, 9),
    )


def _first(row: object, paths: tuple[tuple[str, ...], ...]) -> float | None:
    """Return the first number, not below 0, that stands at one of `paths`."""
    return next((n for path in paths if (n := _number(_at(row, path))) is not None), None)


def _at(row: object, path: tuple[str, ...]) -> object:
    for key in path:
        row = row.get(key) if isinstance(row, Mapping) else None
    return row


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _tokens(value: float | None) -> int | None:
    return int(value) if value else None
