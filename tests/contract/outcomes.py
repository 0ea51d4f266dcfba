"""What an endpoint says, and what must come of it: a row per way in which endpoints misbehave.

`says` is a fault of the shipped endpoint by its name, or a behaviour. Each row is met by the second
of three turns of a real agent. Where `then` is

- `Again`, the request is made again: met once, the episode ends as if nothing had happened; met for
  ever, it ends with this typed error, after so many attempts or, if `patient`, after so long;
- `Ends`, the first meeting ends the episode with this typed error, and the error says that trying
  again is of no use;
- `Overflow`, the episode ends normally, as `context_overflow`;
- `Good`, the reply is used, with these repairs.
"""

from agent_runner.testing.behaviour import Canned
from tests.contract.outcome import (
    AUTH,
    BODY,
    CHUTES,
    MODEL,
    QUOTA,
    REPLY,
    STATUS,
    UNAVAILABLE,
    WIRE,
    Again,
    Ends,
    Good,
    Overflow,
    Raw,
    Row,
    call,
    refused,
    reply,
)

ROWS: dict[str, Row] = {
    # Chutes, in its own words.
    "503 no instances": Row(
        CHUTES, "503", Again(UNAVAILABLE, 503, "No instances available (yet)", patient=True)
    ),
    "429 at capacity": Row(CHUTES, "429", Again(UNAVAILABLE, 429, "Infrastructure is at maximum")),
    "429 under maintenance": Row(
        CHUTES,
        Canned({"detail": "model is under maintenance"}, 429),
        Again(UNAVAILABLE, 429, "model is under maintenance"),
    ),
    "429 spam": Row(
        CHUTES,
        Canned({"detail": "Stop spamming this prompt"}, 429),
        Again(UNAVAILABLE, 429, "Stop spamming"),
    ),
    "500 no targets": Row(
        CHUTES, "500", Again(UNAVAILABLE, 500, "exhausted all available targets")
    ),
    "402 quota": Row(CHUTES, "402", Ends(QUOTA, 402, "quota renewed at 2030-01-01T00:00:00Z")),
    "402 without a time": Row(
        CHUTES, Canned({"detail": "balance is $0"}, 402), Ends(QUOTA, 402, "balance is $0")
    ),
    "404 model": Row(CHUTES, "404", Ends(MODEL, 404, "model not found: fake")),
    "401": Row(CHUTES, "401", Ends(AUTH, 401, "Invalid or missing API key")),
    "400 arguments": Row(CHUTES, "400", Ends(REPLY, 400, "Invalid tool_calls.function.arguments")),
    "overflow Chutes": Row(CHUTES, "overflow_chutes", Overflow()),
    "200 with detail": Row(CHUTES, "detail_200", Again(REPLY, 200, "No instances available")),
    "200 in-stream error": Row(
        CHUTES,
        Canned({"error": "Unhandled exception during response stream: oops"}),
        Again(REPLY, 200, "Unhandled exception"),
    ),
    "raw {error} after nothing": Row(
        CHUTES, Canned(b'{"error": "Unhandled'), Again(REPLY, 200, "no chat completion")
    ),
    # Every other status.
    "400 other": Row(STATUS, refused(400, "bad thing"), Ends(REPLY, 400, "bad thing")),
    "403": Row(STATUS, "403", Ends(AUTH, 403, "may not use this model")),
    "403 page": Row(
        STATUS,
        Canned(b"<html><b>Attention!</b> Sorry, you have been blocked", 403),
        Ends(AUTH, 403, "Sorry, you have been blocked"),
    ),
    "404 page": Row(STATUS, Canned(b"<html>404 page not found", 404), Ends(MODEL, 404, "page not")),
    "405": Row(STATUS, refused(405, "no POST"), Ends(REPLY, 405, "no POST")),
    "407": Row(STATUS, refused(407, "proxy"), Ends(REPLY, 407, "proxy")),
    "408": Row(STATUS, "408", Again(UNAVAILABLE, 408, "Request timeout")),
    "409": Row(STATUS, "409", Again(UNAVAILABLE, 409, "Conflict")),
    "410": Row(STATUS, refused(410, "gone"), Ends(REPLY, 410, "gone")),
    "413": Row(STATUS, "413", Ends(REPLY, 413, "Request Entity Too Large")),
    "415": Row(STATUS, refused(415, "type"), Ends(REPLY, 415, "type")),
    "418": Row(STATUS, refused(418, "teapot"), Ends(REPLY, 418, "teapot")),
    "422": Row(STATUS, "422", Ends(REPLY, 422, "Input should be a list")),
    "425": Row(STATUS, "425", Again(UNAVAILABLE, 425, "Too early")),
    "429 seconds": Row(STATUS, "429_seconds", Again(UNAVAILABLE, 429, "request rate limit")),
    "429 date": Row(STATUS, "429_date", Again(UNAVAILABLE, 429, "at maximum capacity")),
    "429 milliseconds": Row(
        STATUS, refused(429, "slow down", retry_after_ms="5"), Again(UNAVAILABLE, 429, "slow down")
    ),
    "429 nonsense": Row(
        STATUS, refused(429, "slow down", retry_after="soon"), Again(UNAVAILABLE, 429, "slow down")
    ),
    "429 in the past": Row(
        STATUS,
        refused(429, "slow down", retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
        Again(UNAVAILABLE, 429, "slow down"),
    ),
    "429 quota": Row(STATUS, "429_quota", Ends(QUOTA, 429, "exceeded your current quota")),
    "431": Row(STATUS, refused(431, "fields"), Ends(REPLY, 431, "fields")),
    "451": Row(STATUS, refused(451, "law"), Ends(REPLY, 451, "law")),
    "499": Row(STATUS, refused(499, "client"), Ends(REPLY, 499, "client")),
    "502 page": Row(STATUS, "502", Again(UNAVAILABLE, 502, "502 Bad Gateway nginx")),
    "503 after a while": Row(
        STATUS, refused(503, "later", retry_after="0.01"), Again(UNAVAILABLE, 503, "later")
    ),
    "503 empty": Row(STATUS, Canned(b"", 503), Again(UNAVAILABLE, 503, "an empty body")),
    "504 page": Row(STATUS, "504", Again(UNAVAILABLE, 504, "504 Gateway Time-out nginx")),
    "520": Row(STATUS, refused(520, "cloud"), Again(UNAVAILABLE, 520, "cloud")),
    "524": Row(STATUS, refused(524, "cloud"), Again(UNAVAILABLE, 524, "cloud")),
    "529": Row(STATUS, "529", Again(UNAVAILABLE, 529, "Overloaded")),
    "599": Row(STATUS, refused(599, "odd"), Again(UNAVAILABLE, 599, "odd")),
    "500 not UTF-8": Row(STATUS, Canned(b"\xff\xfe oops", 500), Again(UNAVAILABLE, 500, "oops")),
    "500 never again": Row(
        STATUS, refused(500, "no", x_should_retry="false"), Ends(UNAVAILABLE, 500, "no")
    ),
    "409 never again": Row(
        STATUS, refused(409, "no", x_should_retry="false"), Ends(REPLY, 409, "no")
    ),
    "400 again": Row(STATUS, refused(400, "hm", x_should_retry="true"), Again(REPLY, 400, "hm")),
    "401 again": Row(STATUS, refused(401, "hm", x_should_retry="true"), Ends(AUTH, 401, "hm")),
    "307": Row(
        STATUS,
        Canned(b"", 307, {"Location": "http://127.0.0.1:9/v1"}),
        Ends(REPLY, 307, "leads to http://127.0.0.1:9/v1; not followed"),
    ),
    "302 to nowhere": Row(
        STATUS, Canned(b"", 302, {"Location": "http://["}), Ends(REPLY, 302, "302")
    ),
    "304": Row(STATUS, Canned(b"", 304), Ends(REPLY, 304, "Not Modified")),
    # The prompt is too long.
    **{
        f"overflow {vendor}": Row(STATUS, f"overflow_{vendor}", Overflow())
        for vendor in ("openai", "moonshot", "llamacpp", "anthropic", "413")
    },
    "overflow 422": Row(STATUS, refused(422, "maximum context length exceeded"), Overflow()),
    "overflow with 200": Row(
        BODY, Canned({"error": {"message": "maximum context length exceeded"}}), Overflow()
    ),
    # Status 200, and no reply.
    "choices []": Row(BODY, "choices_empty", Again(REPLY, 200, "a reply without choices")),
    "choices null": Row(BODY, "choices_null", Again(REPLY, 200, "a reply without choices")),
    "choices missing": Row(BODY, "choices_missing", Again(REPLY, 200, "a reply without choices")),
    "choices an object": Row(
        BODY, Canned({"choices": {}}), Again(REPLY, 200, "the reply is no chat completion")
    ),
    "choices [null]": Row(
        BODY, Canned({"choices": [None]}), Again(REPLY, 200, "the reply is no chat completion")
    ),
    "message null": Row(
        BODY, Canned({"choices": [{"message": None}]}), Again(REPLY, 200, "without choices")
    ),
    "error": Row(BODY, "error_200", Again(REPLY, 200, "upstream connect error")),
    "error 402 inside": Row(
        BODY,
        Canned({"error": {"message": "Insufficient credits", "code": 402}}),
        Ends(QUOTA, 402, "Insufficient credits"),
    ),
    "error 401 inside": Row(
        BODY, Canned({"error": {"message": "No auth", "code": 401}}), Ends(AUTH, 401, "No auth")
    ),
    "error 429 inside": Row(
        BODY,
        Canned({"error": {"message": "Rate limit", "code": 429}}),
        Again(UNAVAILABLE, 429, "Rate limit"),
    ),
    "finish reason error": Row(
        BODY, reply({"content": "half"}, "error"), Again(REPLY, 200, "a broken reply")
    ),
    "page": Row(BODY, "html_200", Again(REPLY, 200, "Please sign in")),
    "JSON cut": Row(BODY, "json_cut", Again(REPLY, 200, "the reply is no chat completion")),
    "JSON text": Row(BODY, Canned("hello"), Again(REPLY, 200, "the reply is no chat completion")),
    "JSON deep": Row(
        BODY, Canned(b"[" * 10_000 + b"]" * 10_000), Again(REPLY, 200, "no chat completion")
    ),
    "body empty": Row(BODY, "body_empty", Again(REPLY, 200, "an empty body")),
    "204": Row(BODY, Canned(b"", 204), Again(REPLY, 200, "an empty body")),
    "stream": Row(
        BODY,
        Canned(
            b'data: {"choices": []}\n\ndata: [DONE]\n', 200, {"Content-Type": "text/event-stream"}
        ),
        Again(REPLY, 200, "the reply is no chat completion"),
    ),
    "UTF-8 invalid": Row(
        BODY, "utf8_invalid", Again(REPLY, 200, "the reply is no chat completion")
    ),
    "answer empty": Row(BODY, "answer_empty", Again(REPLY, 200, "an empty reply")),
    "content null": Row(BODY, reply({"content": None}), Again(REPLY, 200, "an empty reply")),
    "content white space": Row(
        BODY, reply({"content": " \n"}), Again(REPLY, 200, "an empty reply")
    ),
    "calls without a name": Row(
        BODY,
        reply({"content": None, "tool_calls": [call(function={"arguments": "{}"})]}, "tool_calls"),
        Again(REPLY, 200, "a broken reply"),
    ),
    # Status 200, and a reply all the same.
    "usage missing": Row(BODY, "usage_missing", Good(counted=False)),
    "usage null": Row(BODY, "usage_null", Good(counted=False)),
    "usage nonsense": Row(
        BODY, reply({"tool_calls": [call()]}, "tool_calls", usage="many"), Good(counted=False)
    ),
    "arguments an object": Row(BODY, "arguments_dict", Good({"arguments_not_text": 1})),
    "id null": Row(BODY, "id_null", Good({"call_id_missing": 1})),
    "finish reason null": Row(BODY, "finish_null", Good()),
    "finish reason odd": Row(BODY, reply({"tool_calls": [call()]}, "eos"), Good()),
    "content null beside a call": Row(BODY, "content_null", Good()),
    "content missing": Row(BODY, reply({"tool_calls": [call()]}, "tool_calls"), Good()),
    "finish reason stop with a call": Row(BODY, reply({"tool_calls": [call()]}), Good()),
    "name with prefix and number": Row(
        BODY,
        reply(
            {
                "tool_calls": [
                    call(
                        id="functions.note:0",
                        function={"name": "functions.note:0", "arguments": '{"text": "two"}'},
                    )
                ]
            }
        ),
        Good({"tool_name": 1}),
    ),
    "two choices": Row(
        BODY,
        Canned(
            {
                "choices": [
                    {"message": {"tool_calls": [call()]}, "finish_reason": "tool_calls"},
                    {"message": {"content": "other"}, "finish_reason": "stop"},
                ],
                "usage": {"prompt_tokens": 7, "completion_tokens": 3},
            }
        ),
        Good(),
    ),
    "unknown keys": Row(
        BODY, reply({"tool_calls": [call()], "chutes_verification": "x"}, token_ids=[1]), Good()
    ),
    "only reasoning, cut by length": Row(
        BODY,
        reply({"content": None, "reasoning_content": "so long"}, "length"),
        Good({"answer_cut": 1}, nudged=True),
    ),
    # What happens to connections.
    "slow": Row(WIRE, "slow", Good()),
    "closed": Row(WIRE, "closed", Again(UNAVAILABLE, None, "disconnected")),
    "reset": Row(WIRE, "reset", Again(UNAVAILABLE, None, "no answer from")),
    "stall": Row(WIRE, "stall", Again(UNAVAILABLE, None, "no whole answer in")),
    "drip": Row(WIRE, "drip", Again(UNAVAILABLE, None, "no whole answer in")),
    "lost": Row(WIRE, "lost", Again(UNAVAILABLE, None, "disconnected")),
    "closed in the body": Row(WIRE, "closed_body", Again(UNAVAILABLE, None, "[call request-")),
    "reset in the body": Row(WIRE, "reset_body", Again(UNAVAILABLE, None, "no answer from")),
    "stall in the body": Row(WIRE, "stall_body", Again(UNAVAILABLE, None, "no whole answer in")),
    "length too long": Row(WIRE, "length_long", Again(UNAVAILABLE, None, "no answer from")),
    "length too short": Row(WIRE, "length_short", Again(UNAVAILABLE, None, "no answer from")),
    "gzip cut": Row(WIRE, "gzip_cut", Again(REPLY, 200, "no chat completion")),
    "gzip garbage": Row(
        WIRE,
        Canned(b"no gzip", 200, {"Content-Encoding": "gzip"}),
        Again(UNAVAILABLE, None, "decom"),
    ),
    "body huge": Row(WIRE, "body_huge", Again(UNAVAILABLE, None, "a body of more than 32 MB")),
    "error body huge": Row(
        WIRE, Canned(b" " * 40_000_000, 401), Again(UNAVAILABLE, None, "a body of more than 32 MB")
    ),
    "no HTTP": Row(
        WIRE, Raw(b"SSH-2.0-OpenSSH_9.6\r\n"), Again(UNAVAILABLE, None, "no answer from")
    ),
    "TLS": Row(
        WIRE, Raw(b"\x15\x03\x01\x00\x02\x02\x16"), Again(UNAVAILABLE, None, "no answer from")
    ),
    "headers only": Row(
        WIRE, Raw(b"HTTP/1.1 200 OK\r\nContent-Type: appl"), Again(UNAVAILABLE, None, "no answer")
    ),
    "header far too long": Row(
        WIRE,
        Raw(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200_000 + b"\r\n\r\n{}"),
        Again(UNAVAILABLE, None, "no answer from"),
    ),
    "chunks that are none": Row(
        WIRE,
        Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"),
        Again(UNAVAILABLE, None, "no answer from"),
    ),
}
