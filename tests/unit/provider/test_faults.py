import datetime
import email.utils
import json

import pytest
from pydantic import JsonValue

from agent_runner.provider.faults import AnswerFault, ContextOverflow, error_text, fault_of

OVERFLOWS = [
    "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens.",
    "The input (70000 tokens) is longer than the model's context length (65536 tokens).",
    "Invalid request: Requested token count exceeds the model's maximum context length of 75000",
    "the request exceeds the available context size, try increasing it",
    "Please reduce the length of the messages or completion.",
    "prompt is too long: 213462 tokens > 200000 maximum",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Invalid request: Your request exceeded model token limit: 262144 (requested: 270000)",
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "Prompt exceeds max length",
    "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000",
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum",
    "Input is too long for requested model.",
    "invalid params, context window exceeds limit",
]


def fault(status: int, tree: JsonValue = None, **headers: str) -> AnswerFault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found = fault_of(status, named, json.dumps(tree).encode())
    assert isinstance(found, AnswerFault)
    return found


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (301, "provider_reply", False),
        (400, "provider_reply", False),
        (401, "provider_auth", False),
        (402, "provider_quota", False),
        (403, "provider_auth", False),
        (404, "provider_model", False),
        (408, "provider_unavailable", True),
        (409, "provider_unavailable", True),
        (418, "provider_reply", False),
        (425, "provider_unavailable", True),
        (429, "provider_unavailable", True),
        (500, "provider_unavailable", True),
        (503, "provider_unavailable", True),
        (529, "provider_unavailable", True),
    ],
)
def test_each_status_has_its_meaning(status: int, kind: str, *, retryable: bool) -> None:
    found = fault(status, {"detail": "words"})
    assert (found.kind, found.retryable, found.status) == (kind, retryable, status)
    assert found.message.startswith(f"{status} ")
    assert found.message.endswith("words")


def test_the_endpoint_can_forbid_a_retry() -> None:
    found = fault(409, {"detail": "script"}, x_should_retry="false")
    assert (found.kind, found.retryable) == ("provider_reply", False)
    assert not fault(503, x_should_retry="false").retryable


def test_the_endpoint_can_ask_for_a_retry() -> None:
    assert fault(400, x_should_retry="true").retryable


def test_a_wrong_key_is_not_retried_whatever_the_endpoint_says() -> None:
    assert not fault(401, x_should_retry="true").retryable


@pytest.mark.parametrize("text", OVERFLOWS)
def test_overflow_is_known_by_its_text(text: str) -> None:
    body = json.dumps({"error": {"message": text}}).encode()
    for status in (400, 413, 422):
        assert isinstance(fault_of(status, {}, body), ContextOverflow), status


def test_overflow_is_known_by_its_code() -> None:
    body = b'{"error": {"message": "too long", "code": "context_length_exceeded"}}'
    assert isinstance(fault_of(400, {}, body), ContextOverflow)


def test_a_request_quoted_in_a_complaint_is_no_overflow() -> None:
    detail: JsonValue = [{"msg": "Field required", "input": "the context window of the task"}]
    assert fault(422, {"detail": detail}).message.endswith(": Field required")


@pytest.mark.parametrize(
    "text", ["Invalid tool_calls.function.arguments value, expected JSON", "max_tokens is invalid"]
)
def test_another_400_is_no_overflow(text: str) -> None:
    assert fault(400, {"error": {"message": text}}).kind == "provider_reply"


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (1790000000, "2026-09-21T14:13:20Z"),
        (1790000000123, "2026-09-21T14:13:20Z"),
        ("2026-09-21T14:13:20+00:00", "2026-09-21T14:13:20+00:00"),
        ("1e99", "1e99"),
    ],
)
def test_a_used_up_quota_tells_its_reset(told: JsonValue, shown: str) -> None:
    detail: JsonValue = {"message": "Quota exceeded", "quota_reset_timestamp": told}
    text = fault(402, {"detail": detail}).message
    assert text == f"402 Payment Required: Quota exceeded (quota renewed at {shown})"


def test_a_used_up_balance_told_with_429_is_a_quota() -> None:
    found = fault(429, {"error": {"message": "You exceeded", "code": "insufficient_quota"}})
    assert (found.kind, found.retryable) == ("provider_quota", False)


@pytest.mark.parametrize(("value", "wait_s"), [("2", 2.0), ("0.5", 0.5), ("0", None), ("-1", None)])
def test_retry_after_in_seconds(value: str, wait_s: float | None) -> None:
    assert fault(429, retry_after=value).retry_after_s == wait_s


@pytest.mark.parametrize("value", ["soon", "", "nan", "inf"])
def test_retry_after_that_is_none(value: str) -> None:
    assert fault(429, retry_after=value).retry_after_s is None


def test_retry_after_as_a_date() -> None:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=30)
    wait_s = fault(503, retry_after=email.utils.format_datetime(moment, usegmt=False)).retry_after_s
    assert wait_s == pytest.approx(30, abs=2)


def test_the_invocation_id_is_kept() -> None:
    assert fault(500, x_chutes_invocationid="i-1", x_request_id="r").invocation_id == "i-1"
    assert fault(500, x_request_id="r").invocation_id == "r"


def test_a_page_is_read_as_people_read_it() -> None:
    page = b"<html><head><style>p {color: red}</style></head><body><h1>502</h1>nginx</body></html>"
    assert error_text(page) == "502 nginx"
    assert error_text(b"1 < 2 > 0") == "1 < 2 > 0"
    assert error_text(b"") == error_text(b"<html></html>") == "an empty body"


def test_a_redirect_says_where_it_leads_without_what_may_be_secret() -> None:
    text = fault(308, None, location="https://other.example/v1/chat?token=secret").message
    assert "leads to https://other.example/v1/chat; not followed" in text
    assert "secret" not in text


def test_the_call_is_named_for_the_endpoints_support() -> None:
    assert fault(500, {"detail": "oops"}, x_request_id="r-1").message.endswith("oops [call r-1]")


def test_a_wait_in_milliseconds_counts_before_one_in_seconds() -> None:
    assert fault(429, retry_after_ms="250", retry_after="3").retry_after_s == 0.25


def test_an_error_page_is_one_bounded_line() -> None:
    text = error_text(b"<html>\n" + b"<p>Bad Gateway</p>\n" * 1_000)
    assert "\n" not in text
    assert len(text) <= 601
