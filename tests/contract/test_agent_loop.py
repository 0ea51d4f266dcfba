"""AutoGen's agent, our client, a scripted endpoint over HTTP, and small tools: the turn loop."""

import pytest

from agent_runner.agent import NUDGE
from agent_runner.errors import InfraFault
from agent_runner.result import Termination
from agent_runner.termination import GaveUp, MaxTurns, Submitted
from agent_runner.testing.behaviour import Behaviour, Canned
from tests.contract.loop import SUBMIT, Bench, Played, calls, says, script


async def test_turns_are_counted_and_told_until_the_model_submits() -> None:
    played = Played()
    turns = (
        calls("slow", text="a", expect=["repair it"]),
        calls("refuse", text="b", expect=["did a0"], absent=["repair it"]),
        says("Done.\nTERMINATE", expect=["no b0 here; try another"]),
    )
    assert await played.play([script(*turns)]) is Termination.SUBMITTED
    assert [line.turn for line in played.lines] == [1, 2, 3]
    first, second, third = played.lines
    (call,) = first.calls
    assert (call.id, call.tool, call.arguments) == ("call_1_0", "slow", {"text": "a0"})
    assert (call.text, call.is_error) == ("did a0", False)
    assert second.calls[0].is_error
    assert (third.calls, third.content) == ((), "Done.\nTERMINATE")
    assert first.attempts[0].status == 200
    assert (first.usage.prompt_tokens or 0) < (third.usage.prompt_tokens or 0)
    assert played.loop is not None
    assert played.loop.tally.turns == 3
    assert played.loop.tally.usage(None).calls == 3


async def test_text_without_a_call_is_nudged_and_then_it_gave_up() -> None:
    played = Played()
    turns = (
        says("Let me think.", expect=["repair it"]),
        calls("slow", expect=[NUDGE]),
        says("Hm.", absent=[NUDGE]),
        says("Hm?", expect=[NUDGE]),
    )
    assert await played.play([script(*turns)]) is Termination.GAVE_UP
    assert played.loop is not None
    assert played.loop.tally.turns == 4


async def test_a_retried_request_is_no_turn() -> None:
    played = Played()
    answers: list[Behaviour] = [Canned(status=503), script(SUBMIT)]
    assert await played.play(answers) is Termination.SUBMITTED
    (line,) = played.lines
    assert [attempt.status for attempt in line.attempts] == [503, 200]
    assert played.loop is not None
    assert played.loop.tally.usage(None).retries == 1


async def test_the_turns_run_out() -> None:
    played = Played()
    endless = script(*[calls("slow") for _ in range(5)])
    assert await played.play([endless], MaxTurns(3)) is Termination.MAX_TURNS
    assert (len(played.lines), len(played.requests)) == (3, 3)


async def test_the_first_condition_names_the_end_when_two_fire_at_once() -> None:
    ending = Submitted() | GaveUp(0) | MaxTurns(1)
    assert await Played().play([script(SUBMIT)], ending) is Termination.SUBMITTED


async def test_two_calls_in_one_reply_run_one_after_the_other() -> None:
    played = Played()
    await played.play([script(calls("slow", "slow", "slow"), SUBMIT)])
    order = [f"x{n} {when}" for n in range(3) for when in ("begins", "ends")]
    assert [said for said in played.bench.log if said != "ready"] == order
    assert [call.arguments["text"] for call in played.lines[0].calls] == ["x0", "x1", "x2"]


async def test_no_tool_runs_before_the_workbench_is_ready() -> None:
    played = Played()
    await played.play([script(calls("slow"), SUBMIT)])
    assert played.bench.log[:2] == ["ready", "x0 begins"]


async def test_what_autogen_answers_itself_is_recorded_as_well() -> None:
    broken: dict[str, object] = {"reply": {"calls": [{"tool": "slow", "arguments": '{"text": "a'}]}}
    unknown: dict[str, object] = {"reply": {"calls": [{"tool": "fly", "arguments": {"far": 1}}]}}
    played = Played()
    turns = (broken, unknown | {"expect": ["not valid JSON"]}, SUBMIT | {"expect": ["fly"]})
    assert await played.play([script(*turns)]) is Termination.SUBMITTED
    assert [line.calls[0].is_error for line in played.lines[:2]] == [True, True]
    assert played.lines[0].repairs == {"arguments_invalid": 1}
    (call,) = played.lines[1].calls
    assert (call.id, call.tool, call.arguments) == ("call_2_0", "fly", {"far": 1})
    assert played.bench.log == []


@pytest.mark.parametrize(("tool", "fault"), [("lose", InfraFault), ("bug", ZeroDivisionError)])
async def test_what_no_model_can_mend_leaves_the_loop(tool: str, fault: type[Exception]) -> None:
    played = Played()
    with pytest.raises(fault):
        await played.play([script(calls(tool, "slow"), SUBMIT)])
    assert len(played.requests) == 1
    (line,) = played.lines
    assert [call.tool for call in line.calls] == [tool, "slow"]
    assert not [said for said in played.bench.log if "begins" in said]


KIMI = (
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.{tool}:0"
    "<|tool_call_argument_begin|>{arguments}<|tool_call_end|><|tool_calls_section_end|>"
)


def cut(tool: str, arguments: str) -> dict[str, object]:
    return {"reply": {"calls": [{"tool": tool, "arguments": arguments}], "finish_reason": "length"}}


async def test_a_call_written_as_text_is_run_and_its_repair_stands_in_the_line() -> None:
    played = Played()
    markup = KIMI.format(tool="slow", arguments='{"text": "a"}')
    turns = (says(f"I try.{markup}"), says("TERMINATE", expect=["did a"]))
    assert await played.play([script(*turns)]) is Termination.SUBMITTED
    first = played.lines[0]
    assert (first.content, first.repairs) == ("I try.", {"call_in_text": 1})
    (step,) = first.repair_steps
    assert (step.kind, step.tool) == ("call_in_text", "slow")
    assert step.before == 'functions.slow:0 {"text": "a"}'
    (call,) = first.calls
    assert (call.id, call.tool, call.arguments) == ("functions.slow:0", "slow", {"text": "a"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (KIMI.format(tool="open_file", arguments="{}"), "there is no tool 'functions.open_file:0'"),
        (KIMI.format(tool="slow", arguments='{"t": 1}'), "slow: Additional properties"),
        (KIMI.format(tool="slow", arguments="{}") + " Now wait.", "text follows it"),
    ],
)
async def test_the_model_is_told_why_a_call_it_wrote_as_text_was_not_run(
    text: str, why: str
) -> None:
    played = Played()
    told = ["tool call written as text", why]
    turns = (says(text), says("TERMINATE", expect=told, absent=[NUDGE]))
    assert await played.play([script(*turns)]) is Termination.SUBMITTED
    assert played.lines[0].repairs == {"call_lost": 1}
    assert why in (played.lines[0].repair_steps[0].why or "")


async def test_the_model_is_told_that_its_reply_was_cut_off_by_its_length() -> None:
    played = Played()
    told = "your reply reached the limit of its length"
    turns = (
        cut("slow", '{"text": "a'),
        calls("slow", text="b", expect=[told]),
        says("TERMINATE", absent=[told]),
    )
    assert await played.play([script(*turns)]) is Termination.SUBMITTED
    assert played.lines[0].repairs == {"arguments_cut": 1}
    assert played.bench.log == ["ready", "b0 begins", "b0 ends"]


async def test_cut_arguments_are_closed_for_a_tool_that_says_so() -> None:
    played = Played(bench=Bench(closable=True))
    turns = (cut("slow", '{"text": "a'), says("TERMINATE", expect=["did a"]))
    assert await played.play([script(*turns)]) is Termination.SUBMITTED
    assert played.lines[0].repairs == {"arguments_closed": 1}
