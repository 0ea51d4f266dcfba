"""The raw reply as endpoints really write it: what has no use for us is let through as None."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

# Endpoints add keys of their own, so what comes from outside is the one place that ignores extras.
_FOREIGN = ConfigDict(frozen=True, extra="ignore")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _content(value: object) -> str:
    if isinstance(value, list):
        return "".join(part["text"] for part in value if _is_text_part(part))
    return value if isinstance(value, str) else ""


def _is_text_part(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str)


def _tokens(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < float("inf") else None


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


Text = Annotated[str | None, BeforeValidator(_text)]
Content = Annotated[str, BeforeValidator(_content)]
Tokens = Annotated[int | None, BeforeValidator(_tokens)]


class WireFunction(BaseModel):
    """The called function; `arguments` should be JSON text and is not always."""

    model_config = _FOREIGN

    name: Text = None
    arguments: JsonValue = None


class WireCall(BaseModel):
    """One tool call."""

    model_config = _FOREIGN

    id: Text = None
    function: Annotated[WireFunction, BeforeValidator(_object)] = WireFunction()


class WireMessage(BaseModel):
    """The model's message."""

    model_config = _FOREIGN

    content: Content = ""
    tool_calls: list[WireCall] | None = None
    reasoning_content: Text = None
    reasoning: Text = None


class WireChoice(BaseModel):
    """One of the choices; only the first is looked at."""

    model_config = _FOREIGN

    message: WireMessage | None = None
    finish_reason: Text = None


class TokenDetails(BaseModel):
    """Parts of the prompt's or the completion's tokens."""

    model_config = _FOREIGN

    cached_tokens: Tokens = None
    reasoning_tokens: Tokens = None


class WireUsage(BaseModel):
    """Token counts; three spellings of the cached ones are in use (OpenAI, DeepSeek, Moonshot)."""

    model_config = _FOREIGN

    prompt_tokens: Tokens = None
    completion_tokens: Tokens = None
    prompt_tokens_details: Annotated[TokenDetails, BeforeValidator(_object)] = TokenDetails()
    completion_tokens_details: Annotated[TokenDetails, BeforeValidator(_object)] = TokenDetails()
    prompt_cache_hit_tokens: Tokens = None
    cached_tokens: Tokens = None
    reasoning_tokens: Tokens = None


class WireCounts(BaseModel):
    """The tokens of a body, whatever else is in it."""

    model_config = _FOREIGN

    usage: Annotated[WireUsage, BeforeValidator(_object)] = WireUsage()


class WireReply(BaseModel):
    """The whole body."""

    model_config = _FOREIGN

    id: Text = None
    model: Text = None
    choices: list[WireChoice] | None = None
    usage: Annotated[WireUsage, BeforeValidator(_object)] = WireUsage()
    error: JsonValue = None
    detail: JsonValue = Field(default=None)
