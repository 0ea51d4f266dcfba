"""What the failing statuses of real endpoints look like, in the words of those who send them."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

QUOTA_RESET = 1_893_456_000
"""The time at which the quota of fault `402` is renewed: 2030-01-01T00:00:00Z."""


@dataclass(frozen=True)
class Refusal:
    """A status with its body; bytes are HTML.

    Attributes:
        says: what it stands for.
    """

    status: int
    body: JsonValue | bytes
    says: str


def page(title: str) -> bytes:
    """A page as a proxy in front of the endpoint writes it."""
    return (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title>"
        "<style>p {margin: 0}</style></head>\n"
        f"<body><h1>{title}</h1><hr><p>nginx</p></body></html>\n"
    ).encode()


def error(message: str, kind: str, code: JsonValue = None) -> JsonValue:
    """A body in OpenAI's shape."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


BUSY: JsonValue = {"detail": "Infrastructure is at maximum capacity, try again later"}
NO_INSTANCES = "No instances available (yet) for chute_id='0b9b2e6c'"
LIMIT = "exceeded the request rate limit"

# Status, body, what it stands for. In the words of Chutes where it has its own.
PASSING: Mapping[str, Refusal] = {
    "408": Refusal(408, error("Request timeout", "timeout"), "the endpoint waited too long"),
    "409": Refusal(409, error("Conflict", "conflict"), "another request is in the way"),
    "425": Refusal(425, error("Too early", "too_early"), "too early"),
    "429": Refusal(429, BUSY, "Chutes at its capacity, without Retry-After"),
    "500": Refusal(
        500,
        {"detail": "exhausted all available targets to no avail"},
        "Chutes ran out of targets",
    ),
    "502": Refusal(502, page("502 Bad Gateway"), "a proxy's page"),
    "503": Refusal(503, {"detail": NO_INSTANCES}, "Chutes has no instance of the model up"),
    "504": Refusal(504, page("504 Gateway Time-out"), "a proxy's page"),
    "529": Refusal(529, error("Overloaded", "overloaded_error"), "overloaded"),
}
LASTING: Mapping[str, Refusal] = {
    "400": Refusal(
        400,
        {"detail": "Invalid tool_calls.function.arguments value, expected JSON"},
        "a history that the endpoint does not take",
    ),
    "401": Refusal(401, {"detail": "Invalid or missing API key"}, "the key is wrong"),
    "402": Refusal(
        402,
        {
            "detail": {
                "message": "Quota exceeded and account balance is $0.0, please add balance",
                "quota_reset_timestamp": QUOTA_RESET,
            }
        },
        "quota and balance are used up, with the time of renewal",
    ),
    "403": Refusal(
        403, error("This key may not use this model", "permission_error"), "not allowed"
    ),
    "404": Refusal(404, {"detail": "model not found: fake"}, "an unknown model, as Chutes says it"),
    "413": Refusal(413, page("413 Request Entity Too Large"), "a proxy refuses the size"),
    "422": Refusal(
        422,
        {"detail": [{"loc": ["body", "tools"], "msg": "Input should be a list", "type": "list"}]},
        "FastAPI's complaint",
    ),
    "429_quota": Refusal(
        429,
        error("You exceeded your current quota", "insufficient_quota", "insufficient_quota"),
        "a used-up balance told with 429, as OpenAI does",
    ),
}
OVERFLOW: Mapping[str, Refusal] = {
    "overflow_openai": Refusal(
        400,
        error(
            "This model's maximum context length is 131072 tokens. However, your messages resulted "
            "in 140000 tokens. Please reduce the length of the messages.",
            "invalid_request_error",
            "context_length_exceeded",
        ),
        "OpenAI, DeepSeek, vLLM",
    ),
    "overflow_chutes": Refusal(
        400,
        {
            "detail": "Invalid request: Requested token count exceeds the model's maximum context "
            "length of 75000 tokens."
        },
        "Chutes with SGLang",
    ),
    "overflow_moonshot": Refusal(
        400,
        error(
            "Invalid request: Your request exceeded model token limit: 262144 (requested: 270000)",
            "invalid_request_error",
        ),
        "Moonshot",
    ),
    "overflow_llamacpp": Refusal(
        400,
        error(
            "the request exceeds the available context size, try increasing it",
            "exceed_context_size_error",
            400,
        ),
        "llama.cpp",
    ),
    "overflow_anthropic": Refusal(
        400,
        error("prompt is too long: 213462 tokens > 200000 maximum", "invalid_request_error"),
        "Anthropic, through gateways",
    ),
    "overflow_413": Refusal(
        413,
        error("Request body too large. Max size: 8000 tokens.", "tokens_limit_reached"),
        "Azure's catalogue",
    ),
}
