"""What the model is sent when the conversation outgrows its budget."""

from itertools import pairwise

from autogen_core import FunctionCall
from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)

from agent_runner.context import CHARS_PER_TOKEN, ELIDED, RECENT, ElidingContext

OUTPUT_CHARS = 1_000
TURN_TOKENS = OUTPUT_CHARS // CHARS_PER_TOKEN
TASK = UserMessage(content="the task", source="user")


def result(turn: int, content: str) -> FunctionExecutionResultMessage:
    given = FunctionExecutionResult(
        content=content, name="docker_sh", call_id=f"c{turn}", is_error=False
    )
    return FunctionExecutionResultMessage(content=[given])


async def add_turn(context: ElidingContext, turn: int, content: str | None = None) -> None:
    call = FunctionCall(id=f"c{turn}", arguments="{}", name="docker_sh")
    await context.add_message(AssistantMessage(content=[call], source="engineer"))
    text = f"{turn:04}" * (OUTPUT_CHARS // 4) if content is None else content
    await context.add_message(result(turn, text))


def outputs(messages: list[LLMMessage]) -> list[str]:
    return [
        each.content
        for message in messages
        if isinstance(message, FunctionExecutionResultMessage)
        for each in message.content
    ]


def elided(messages: list[LLMMessage]) -> int:
    return sum(text == ELIDED for text in outputs(messages))


async def test_all_is_sent_while_it_fits() -> None:
    context = ElidingContext(1_000 * TURN_TOKENS, 0.8, 0.5)
    await context.add_message(TASK)
    for turn in range(20):
        await add_turn(context, turn)
    messages = await context.get_messages()
    assert len(messages) == 41
    assert elided(messages) == 0


async def test_old_outputs_go_in_one_step_from_high_to_low() -> None:
    context = ElidingContext(30 * TURN_TOKENS, 0.8, 0.5)
    await context.add_message(TASK)
    counts = []
    for turn in range(26):
        await add_turn(context, turn)
        counts.append(elided(await context.get_messages()))
    steps = [after for before, after in pairwise(counts) if after != before]
    assert len(steps) == 1
    kept = outputs(await context.get_messages())[steps[0] :]
    at_step = counts.index(steps[0]) + 1
    assert 0.35 * 30 <= at_step - steps[0] <= 0.5 * 30
    assert len(kept) == 26 - steps[0]
    assert ELIDED not in kept


async def test_between_two_steps_the_prefix_is_the_same() -> None:
    context = ElidingContext(30 * TURN_TOKENS, 0.8, 0.5)
    await context.add_message(TASK)
    changes = 0
    before: list[LLMMessage] = []
    for turn in range(60):
        await add_turn(context, turn)
        messages = await context.get_messages()
        changes += messages[: len(before)] != before
        before = messages
    assert 1 <= changes <= 6


async def test_head_calls_and_their_results_stay() -> None:
    context = ElidingContext(10 * TURN_TOKENS, 0.8, 0.5)
    await context.add_message(TASK)
    for turn in range(40):
        await add_turn(context, turn)
    messages = await context.get_messages()
    assert messages[0] == TASK
    calls = [m.content for m in messages if isinstance(m, AssistantMessage)]
    results = [m for m in messages if isinstance(m, FunctionExecutionResultMessage)]
    assert [call[0].id for call in calls if not isinstance(call, str)] == [
        each.content[0].call_id for each in results
    ]
    assert len(results) == 40


async def test_the_newest_outputs_stay_whole_even_over_the_budget() -> None:
    context = ElidingContext(TURN_TOKENS, 0.8, 0.5)
    for turn in range(20):
        await add_turn(context, turn)
    shown = outputs(await context.get_messages())
    assert shown[-RECENT:] == [f"{turn:04}" * (OUTPUT_CHARS // 4) for turn in range(14, 20)]
    assert set(shown[:-RECENT]) == {ELIDED}


async def test_what_is_shorter_than_the_notice_stays() -> None:
    context = ElidingContext(TURN_TOKENS, 0.8, 0.5)
    await add_turn(context, 0, content="ok")
    for turn in range(1, 20):
        await add_turn(context, turn)
    assert outputs(await context.get_messages())[:2] == ["ok", ELIDED]


async def test_nothing_is_lost_from_the_conversation_itself() -> None:
    context = ElidingContext(TURN_TOKENS, 0.8, 0.5)
    for turn in range(10):
        await add_turn(context, turn)
    await context.get_messages()
    kept = (await context.save_state())["messages"]
    assert ELIDED not in str(kept)
