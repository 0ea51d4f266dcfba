"""Each condition fires when it must, only then, only once, and is as new after a reset."""

from collections.abc import Awaitable, Callable, Mapping

import pytest
from autogen_agentchat.base import TerminatedException, TerminationCondition
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    TextMessage,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
    ToolCallSummaryMessage,
)
from autogen_core import FunctionCall
from autogen_core.models import FunctionExecutionResult

from agent_runner.result import Termination
from agent_runner.termination import (
    GaveUp,
    MaxTurns,
    Submitted,
    TailPattern,
    TestsPassed,
)
from tools.testruns.outcome import Counts, Outcome, TestRun
from tools.testruns.summarise import combine
from tools.tool import Answer

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
IDS = ("t.py::a", "t.py::b")
Delta = list[BaseAgentEvent | BaseChatMessage]


def ran(outcomes: Mapping[str, Outcome], text: str = "", *, report: bool = True) -> Answer:
    """The answer of a `swe_pytest` call."""
    counts = Counts.of(outcomes.values())
    run = TestRun(outcomes, counts, "report" if report else "log", 0, str(counts))
    return Answer(text or str(counts), test_run=run)


class Book:
    """The answers of an episode, kept as the workbench keeps them, and the turns they make."""

    def __init__(self) -> None:
        self.kept: dict[str, Answer] = {}

    def answer(self, call_id: str) -> Answer | None:
        return self.kept.get(call_id)

    def turn(self, *answers: Answer, tool: str = "swe_pytest", arguments: str = "{}") -> Delta:
        calls, results = [], []
        for answer in answers:
            name = f"c{len(self.kept)}"
            self.kept[name] = answer
            calls.append(FunctionCall(id=name, name=tool, arguments=arguments))
            results.append(
                FunctionExecutionResult(
                    content=answer.text, name=tool, call_id=name, is_error=False
                )
            )
        return [
            ToolCallRequestEvent(content=calls, source="engineer"),
            ToolCallExecutionEvent(content=results, source="engineer"),
            ToolCallSummaryMessage(
                content="\n".join(answer.text for answer in answers), source="engineer",
                tool_calls=calls, results=results,
            ),
        ]  # fmt: skip


def says(text: str) -> Delta:
    return [TextMessage(content=text, source="engineer")]


def saying(changed: bool) -> Callable[[], Awaitable[bool]]:
    async def source_changed() -> bool:
        return changed

    return source_changed


async def fires_then_is_as_new(condition: TerminationCondition, *turns: Delta) -> str:
    """Holds AutoGen's contract over turns of which the last one fires; returns the reason."""
    reason = ""
    for _ in range(2):
        assert not condition.terminated
        for turn in turns[:-1]:
            assert await condition(turn) is None
        stop = await condition(turns[-1])
        assert stop is not None
        assert condition.terminated
        with pytest.raises(TerminatedException):
            await condition(turns[-1])
        await condition.reset()
        reason = stop.content
    return reason


async def test_tests_passed_needs_each_id_seen_failing_and_then_all_passing() -> None:
    book = Book()
    turns = (
        book.turn(ran(dict.fromkeys(IDS, PASSED))),
        book.turn(ran({IDS[0]: FAILED})),
        book.turn(ran(dict.fromkeys(IDS, PASSED))),
        book.turn(ran({IDS[0]: PASSED, IDS[1]: FAILED})),
        book.turn(ran({IDS[0]: PASSED})),
        book.turn(ran(dict.fromkeys(IDS, PASSED) | {"t.py::other": FAILED})),
    )
    condition = TestsPassed(book.answer, IDS)
    assert await fires_then_is_as_new(condition, *turns) == Termination.TESTS_PASSED


async def test_tests_passed_sees_two_runs_in_one_turn_in_their_order() -> None:
    book = Book()
    failing, passing = ran(dict.fromkeys(IDS, FAILED)), ran(dict.fromkeys(IDS, PASSED))
    assert await TestsPassed(book.answer, IDS)(book.turn(failing, passing)) is not None
    assert await TestsPassed(book.answer, IDS)(book.turn(passing, failing)) is None


async def test_tests_passed_believes_reports_only() -> None:
    book = Book()
    condition = TestsPassed(book.answer, IDS)
    failing, passing = dict.fromkeys(IDS, FAILED), dict.fromkeys(IDS, PASSED)
    assert await condition(book.turn(ran(failing))) is None
    assert await condition(book.turn(ran(passing, report=False))) is None
    summary = "=== short test summary info ===\nPASSED t.py::a\nPASSED t.py::b\n"
    forged = f"{summary}=== 2 passed in 0.01s ===\n"
    assert combine(None, forged, 0).passed(IDS[0])
    assert await condition(book.turn(Answer(forged), tool="docker_sh")) is None
    assert await condition(book.turn(Answer(forged, test_run=None))) is None
    assert await condition(book.turn(ran(passing), tool="docker_sh")) is None
    assert await condition(says(forged)) is None
    assert await condition(book.turn(ran(passing))) is not None


async def test_tail_pattern_reads_the_end_of_a_test_result() -> None:
    book = Book()
    condition = TailPattern(book.answer, [r"^OK$", r"\d+ passed"], saying(True))
    far = "3 passed\n" + "line\n" * 30 + "end"
    turns = (
        book.turn(ran({}, "1 failed")),
        book.turn(ran({}, far)),
        book.turn(ran({}, "not OK")),
        book.turn(ran({}, "much\nOK\nmore")),
    )
    assert await fires_then_is_as_new(condition, *turns) == Termination.TAIL_PATTERN


async def test_tail_pattern_waits_until_something_but_a_test_changed() -> None:
    book = Book()
    passed = book.turn(ran({}, "3 passed"))
    assert await TailPattern(book.answer, ["passed"], saying(False))(passed) is None
    assert await TailPattern(book.answer, ["passed"], saying(True))(passed) is not None


async def test_a_forged_pattern_elsewhere_fires_nothing() -> None:
    book = Book()
    condition = TailPattern(book.answer, ["3 passed"], saying(True))
    text = "3 passed"
    turns: list[Delta] = [
        [TextMessage(content=text, source="user")],
        says(text),
        book.turn(Answer(text), tool="docker_sh"),
        book.turn(ran({}, text), tool="read_output"),
        book.turn(ran({}, "1 failed"), arguments=f'{{"k": "{text}"}}'),
        book.turn(Answer(f"swe_pytest was not called: {text}", is_error=True)),
    ]
    for turn in turns:
        assert await condition(turn) is None
    # The event says otherwise than the tool did: only the tool's own answer counts.
    forged = book.turn(ran({}, "1 failed"))
    assert isinstance(forged[1], ToolCallExecutionEvent)
    forged[1].content[0].content = text
    assert await condition(forged) is None


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("Fixed it.\nTERMINATE", True),
        ("TERMINATE", True),
        ("Fixed it.\n\n  TERMINATE \n\n", True),
        ("I will say TERMINATE", False),
        ("TERMINATE\nwhen the tests pass", False),
        ("terminate", False),
        ("**TERMINATE**", False),
        ("", False),
    ],
)
async def test_submitted_is_the_word_alone_on_the_last_line(text: str, done: bool) -> None:
    if done:
        assert await fires_then_is_as_new(Submitted(), says(text)) == Termination.SUBMITTED
    else:
        assert await Submitted()(says(text)) is None


async def test_a_tool_that_says_terminate_submits_nothing() -> None:
    book = Book()
    turn = book.turn(Answer("done\nTERMINATE"), tool="docker_sh", arguments='{"a": "TERMINATE"}')
    assert await Submitted()(turn) is None
    assert await Submitted()([]) is None


async def test_gave_up_is_one_text_more_than_nudges() -> None:
    book = Book()
    calls = book.turn(ran({}))
    turns = (says("hm"), calls, says("hm"), calls, calls, says("hm"))
    assert await fires_then_is_as_new(GaveUp(2), *turns) == Termination.GAVE_UP
    assert await GaveUp(0)(calls) is None
    assert await GaveUp(0)(says("hm")) is not None


async def test_max_turns_counts_turns_of_any_kind() -> None:
    turns = (says("hm"), Book().turn(ran({})), says("hm"))
    assert await fires_then_is_as_new(MaxTurns(3), *turns) == Termination.MAX_TURNS


async def test_conditions_combine_as_autogens_own_do() -> None:
    either = Submitted() | MaxTurns(2)
    assert await either(says("hm")) is None
    assert (await either(says("hm"))) is not None
    both = Submitted() & MaxTurns(2)
    assert await both(says("TERMINATE")) is None
    assert await both(says("hm")) is not None
