"""The workbench by itself: whatever a tool does, there is one answer."""

import asyncio

import pytest
from pydantic import Field

from tools.errors import ToolRefusal
from tools.tool import Answer, Arguments, Tool
from tools.workbench import INVALID_JSON, TaskWorkbench
from tools.workspace.faults import FaultKind, InfraFault


class Count(Arguments):
    number: int = Field(description="How many.", ge=1)
    names: list[str] = Field(default_factory=list)


async def at_once() -> None:
    """Nothing to wait for."""


async def count(given: Count) -> Answer:
    if given.number == 13:
        raise ToolRefusal("not thirteen; take twelve")
    if given.number == 99:
        await asyncio.Event().wait()
    return Answer(f"counted {given.number}", handle="o1", exit_code=0)


def workbench() -> TaskWorkbench:
    return TaskWorkbench([Tool("count", "Counts.", Count, count, limit_s=0.02)], at_once)


async def test_an_answer_is_kept_whole_under_its_call() -> None:
    bench = workbench()
    result = await bench.call_tool("count", {"number": 2}, call_id="c1")
    assert (result.name, result.to_text(), result.is_error) == ("count", "counted 2", False)
    assert bench.answer("c1") == Answer("counted 2", handle="o1", exit_code=0)
    assert bench.answer("c2") is None
    assert [(call.tool, call.arguments) for call in bench.calls] == [("count", {"number": 2})]


async def test_of_two_calls_with_one_id_the_later_counts() -> None:
    bench = workbench()
    for number in (2, 3):
        await bench.call_tool("count", {"number": number}, call_id="c1")
    assert bench.answer("c1") == Answer("counted 3", handle="o1", exit_code=0)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("fly", {}, "there is no tool fly; use count"),
        ("count", {}, "count was not called: number: Field required. It takes number, names."),
        ("count", {"number": 0}, "number: Input should be greater than or equal to 1"),
        ("count", {"number": 1, "k": 2}, "k: Extra inputs are not permitted"),
        ("count", {INVALID_JSON: "{"}, "its arguments were not valid JSON"),
        ("count", {"number": 1, "names": ["a", "b\0"]}, "names: Value error, holds a NUL"),
        ("count", {"number": 1, "names": ["\ud800"]}, "half a surrogate pair"),
        ("count", {"number": 13}, "not thirteen; take twelve"),
        ("count", {"number": 99}, "count was given up after 0.02 s"),
    ],
)
async def test_what_a_model_can_mend_is_told_as_text(
    name: str, arguments: dict[str, object], said: str
) -> None:
    bench = workbench()
    result = await bench.call_tool(name, arguments, call_id="c1")
    assert said in result.to_text()
    assert result.is_error
    assert bench.failure is None
    assert (await bench.call_tool("count", {"number": 1})).to_text() == "counted 1"


async def test_a_fault_while_waiting_to_begin_ends_the_episode() -> None:
    fault = InfraFault(FaultKind.ENGINE_UNAVAILABLE, "gone")

    async def never() -> None:
        raise fault

    bench = TaskWorkbench([Tool("count", "Counts.", Count, count, limit_s=1)], never)
    result = await bench.call_tool("count", {"number": 1})
    assert bench.failure is fault
    assert result.to_text() == "the episode is over"


async def test_ending_calls_waits_until_they_have_ended() -> None:
    ended = asyncio.Event()

    async def slow_to_end(given: Count) -> Answer:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.set()
        return Answer("")

    bench = TaskWorkbench([Tool("slow", "", Count, slow_to_end, limit_s=9)], at_once)
    running = asyncio.create_task(bench.call_tool("slow", {"number": 1}, call_id="c1"))
    await asyncio.sleep(0)
    await bench.end_calls()
    assert ended.is_set()
    assert running.cancelled()
    answer = bench.answer("c1")
    assert answer is not None
    assert answer.text == "the call was cut short"
    await bench.end_calls()


async def test_schemas_hold_no_titles_and_take_no_other_arguments() -> None:
    (schema,) = await workbench().list_tools()
    assert schema == {
        "name": "count",
        "description": "Counts.",
        "parameters": {
            "type": "object",
            "properties": {
                "number": {"description": "How many.", "minimum": 1, "type": "integer"},
                "names": {"items": {"type": "string"}, "type": "array"},
            },
            "required": ["number"],
            "additionalProperties": False,
        },
    }
