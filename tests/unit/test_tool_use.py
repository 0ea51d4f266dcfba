"""Where an agent's turns went."""

from agent_runner.result import ToolUse
from agent_runner.tool_use import ToolUseTally
from agent_runner.trajectory import CallLine, TurnLine, TurnUsage


def call(tool: str, *, is_error: bool = False, **arguments: object) -> CallLine:
    return CallLine(
        id="c", tool=tool, arguments=arguments, is_error=is_error, text="", handle=None,
        exit_code=None, duration_s=0.0,
    )  # fmt: skip


def used(*turns: tuple[CallLine, ...]) -> ToolUse:
    tally = ToolUseTally()
    nothing = TurnUsage(prompt_tokens=None, completion_tokens=None, cached_tokens=None)
    for number, calls in enumerate(turns, start=1):
        tally.turn(
            TurnLine(
                turn=number,
                content="",
                reasoning=None,
                finish_reason=None,
                usage=nothing,
                attempts=(),
                repairs={},
                calls=calls,
                duration_s=0.0,
            )
        )
    return tally.record()


def test_calls_are_counted_by_tool_and_texts_apart() -> None:
    found = used((call("docker_sh", command="ls"), call("swe_pytest")), (), (call("swe_pytest"),))
    assert found.calls == {"docker_sh": 1, "swe_pytest": 2}
    assert found.texts == 1


def test_a_refused_patch_is_a_failed_call_too() -> None:
    found = used((call("swe_apply_patch", is_error=True, patch="x"),), (call("docker_sh"),))
    assert (found.refused_patches, found.failed) == (1, 1)


def test_the_same_call_again_is_a_repeat_until_a_patch_is_applied() -> None:
    look, mend = call("docker_sh", command="cat a"), call("swe_apply_patch", patch="x")
    assert used((look,), (look,), (look,)).repeated == 2
    assert used((look,), (mend,), (look,)).repeated == 0
    assert used((look,), (call("docker_sh", command="cat b"),)).repeated == 0


def test_a_patch_that_was_refused_makes_nothing_new() -> None:
    refused = call("swe_apply_patch", is_error=True, patch="x")
    look = call("docker_sh", command="cat a")
    assert used((look,), (refused,), (look,), (refused,)).repeated == 2
