"""Every raw reply of the corpus: each valid call is recovered exactly, and none is invented."""

import asyncio
import json
from collections import Counter

import pytest
from autogen_core import FunctionCall

from agent_runner.provider.records import RepairKind
from agent_runner.provider.reply import Reply, parse_reply
from agent_runner.provider.salvage.calls import CUT_ARGUMENTS_KEY, INVALID_ARGUMENTS_KEY
from tests.corpora.replies.corpus import Case, Filed, cases, offered

OFFER = asyncio.run(offered())
CASES = cases()


def calls_of(reply: Reply) -> list[FunctionCall]:
    content = reply.result.content
    return [c for c in content if isinstance(c, FunctionCall)] if isinstance(content, list) else []


def thought_of(case: Case) -> str | None:
    return case.think or None if case.thought is None else case.thought


@pytest.mark.parametrize("filed", CASES, ids=lambda filed: f"{filed.file}: {filed.case.name}")
def test_a_reply_becomes_what_it_has_to(filed: Filed) -> None:
    case = filed.case
    reply = parse_reply(case.body, None, OFFER)
    made = [(call.name, json.loads(call.arguments)) for call in calls_of(reply)]
    whole = [each for each in made if INVALID_ARGUMENTS_KEY not in each[1]]
    broken = [each for each in made if INVALID_ARGUMENTS_KEY in each[1]]
    assert [name for name, _ in broken] == list(case.broken)
    if not broken:
        assert whole == list(case.calls)
    for _, arguments in broken:
        assert arguments.get(CUT_ARGUMENTS_KEY, False) == (case.finish == "length")
    assert (RepairKind.CALL_LOST in reply.repairs) == case.lost
    left = case.left if case.left is not None else "" if made and not case.structured else case.say
    assert reply.content == (left or "")
    assert reply.reasoning == thought_of(case)
    if case.ids:
        assert [call.id for call in calls_of(reply)] == list(case.ids)
    if case.repairs is not None:
        assert reply.repairs == case.repairs


def test_the_corpus_is_large_and_each_case_has_its_name() -> None:
    assert len(CASES) >= 250
    names = Counter((filed.file, filed.case.name) for filed in CASES)
    assert {name for name, count in names.items() if count > 1} == set()
