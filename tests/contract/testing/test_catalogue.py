"""Each fault as it comes over the wire, and what is billed for it."""

import asyncio
import email.utils
import time
from collections.abc import Callable

import pytest
from pydantic_core import to_json

from agent_runner.testing.catalogue import FAULTS
from agent_runner.testing.counts import NOTHING, Stats
from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.plan import DRAWN, FaultPlan
from agent_runner.testing.refusals import QUOTA_RESET
from tests.contract.testing.wire import SCRIPT, Answer, ask, conversation

LIMIT_S = 0.3
STALLS = {"stall", "drip", "stall_body"}


async def met(fault: str, turn: int = 1, limit_s: float = 5.0) -> tuple[Answer, Stats]:
    plan = FaultPlan.model_validate(
        {
            "schedule": [{"request": 1, "fault": fault}],
            "timing": {"slow_s": 0.04, "drip_s": 0.02, "retry_after_s": 2},
        }
    )
    async with FakeEndpoint([SCRIPT], plan=plan) as endpoint:
        answer = await ask(endpoint, conversation("task", turn), limit_s)
    return answer, endpoint.stats()


@pytest.mark.parametrize("name", [name for name in FAULTS if name[:3].isdigit()])
async def test_a_status_is_named_for_what_it_is(name: str) -> None:
    answer, stats = await met(name)
    assert answer.status == int(name[:3])
    assert (stats.by_status, stats.by_fault) == ({name[:3]: 1}, {name: 1})
    assert stats.billed == NOTHING


async def test_a_quota_says_when_it_is_renewed() -> None:
    answer, _ = await met("402")
    assert str(QUOTA_RESET) in answer.body.decode()


async def test_both_forms_of_retry_after() -> None:
    seconds, _ = await met("429_seconds")
    assert seconds.headers["retry-after"] == "2"
    date, _ = await met("429_date")
    moment = email.utils.parsedate_to_datetime(date.headers["retry-after"])
    assert 0 <= moment.timestamp() - time.time() <= 2
    plain, _ = await met("429")
    assert "retry-after" not in plain.headers


@pytest.mark.parametrize("name", [name for name in FAULTS if name.startswith("overflow")])
async def test_overflow_comes_as_400_or_413_in_many_words(name: str) -> None:
    answer, _ = await met(name)
    assert answer.status == (413 if name == "overflow_413" else 400)


BODIES: dict[str, Callable[[Answer], bool]] = {
    "choices_empty": lambda a: a.tree()["choices"] == [],
    "choices_null": lambda a: a.tree()["choices"] is None,
    "choices_missing": lambda a: "choices" not in a.tree() and "usage" in a.tree(),
    "error_200": lambda a: set(a.tree()) == {"error"},
    "detail_200": lambda a: set(a.tree()) == {"detail"},
    "html_200": lambda a: a.headers["content-type"] == "text/html" and a.body[:1] == b"<",
    "json_cut": lambda a: a.body.startswith(b'{"id"') and not a.body.endswith(b"}"),
    "body_empty": lambda a: a.body == b"",
    "answer_empty": lambda a: b'"content":"","tool_calls":[]' in a.body,
    "utf8_invalid": lambda a: b"\xff" in a.body,
    "gzip_cut": lambda a: (
        a.headers["content-encoding"] == "gzip" and a.body[:2] == b"\x1f\x8b" and len(a.body) == 20
    ),
    "body_huge": lambda a: len(a.body) > 40_000_000,
    "usage_missing": lambda a: "usage" not in a.tree() and bool(a.tree()["choices"]),
    "usage_null": lambda a: b'"prompt_tokens":null' in a.body,
    "arguments_dict": lambda a: '"arguments":{"at":"é"}'.encode() in a.body,
    "id_null": lambda a: b'"id":null,"type":"function"' in a.body,
    "finish_null": lambda a: b'"finish_reason":null' in a.body,
    "content_null": lambda a: b'"content":null' in a.body and b"tool_calls" in a.body,
    "slow": lambda a: bool(a.tree()["choices"]) and "usage" in a.tree(),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_malformed_reply_arrives_and_is_billed(name: str) -> None:
    answer, stats = await met(name)
    assert (answer.status, answer.broken) == (200, False)
    assert BODIES[name](answer)
    assert stats.billed.prompt == 1
    assert stats.billed.completion > 10


@pytest.mark.parametrize(
    ("name", "status", "billed"),
    [
        ("closed", None, False),
        ("reset", None, False),
        ("stall", None, False),
        ("drip", 200, False),
        ("closed_body", 200, True),
        ("reset_body", 200, True),
        ("stall_body", 200, True),
        ("lost", None, True),
        ("length_long", 200, True),
        ("length_short", None, True),  # this client takes what comes after it for a bad answer
    ],
)
async def test_a_broken_connection_gives_no_whole_answer(
    name: str, status: int | None, *, billed: bool
) -> None:
    answer, stats = await met(name, limit_s=LIMIT_S if name in STALLS else 5.0)
    assert (answer.status, answer.broken) == (status, True)
    assert (stats.billed != NOTHING) is billed
    assert stats.told == NOTHING
    assert stats.requests == 1


@pytest.mark.parametrize(("name", "is_reset"), [("closed", False), ("reset", True)])
async def test_a_reset_is_one_and_a_close_is_none(name: str, *, is_reset: bool) -> None:
    plan = FaultPlan.model_validate({"schedule": [{"request": 1, "fault": name}]})
    body = to_json(conversation("task", 1))
    async with FakeEndpoint([SCRIPT], plan=plan) as endpoint:
        port = int(endpoint.base_url.split(":")[2].removesuffix("/v1"))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        try:
            assert await reader.read() == b""
            assert not is_reset
        except ConnectionResetError:
            assert is_reset
        finally:
            writer.close()


def test_each_fault_is_tried_here() -> None:
    broken = {"closed", "reset", "stall", "drip", "closed_body", "reset_body", "stall_body", "lost"}
    named = {name for name in FAULTS if name[:3].isdigit() or name.startswith("overflow")}
    assert {*BODIES, *broken, *named, "length_long", "length_short"} == {*FAULTS}


def test_what_is_drawn_is_what_passes() -> None:
    assert {"401", "402", "404", "400", "overflow_openai", "slow", "body_huge"} & {*DRAWN} == set()
    assert {"429", "503", "reset", "lost", "stall", "json_cut", "choices_null"} <= {*DRAWN}


@pytest.mark.parametrize("name", ["json_cut", "usage_missing", "usage_null", "closed_body", "lost"])
async def test_tokens_that_no_client_can_know_are_not_told(name: str) -> None:
    _, stats = await met(name)
    assert stats.told == NOTHING
    assert stats.billed != NOTHING


@pytest.mark.parametrize("name", ["choices_empty", "answer_empty", "slow", "id_null"])
async def test_tokens_that_stand_in_a_whole_answer_are_told(name: str) -> None:
    _, stats = await met(name)
    assert stats.told == stats.billed != NOTHING
