"""What a person sees: nothing that is quick, a line or a spinner for what takes long."""

import asyncio
import io
import re

import pytest

from agent_runner import observer as module
from agent_runner.observer import Observer, turn_text
from agent_runner.trajectory import CallLine, TurnLine, TurnUsage


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds are long for a unit test."""
    monkeypatch.setattr(module, "PATIENCE_S", 0.02)


async def wait(observer: Observer, seconds: float, *, lines: bool = True) -> None:
    with observer.waiting("building", lines=lines):
        await asyncio.sleep(seconds)


async def test_what_is_quick_is_not_mentioned() -> None:
    stream, log = io.StringIO(), io.StringIO()
    await wait(Observer(stream=stream, log=log), 0)
    assert stream.getvalue() == ""
    assert "building ..." in log.getvalue()


async def test_what_takes_long_is_said_when_it_does_and_when_it_is_over() -> None:
    stream = io.StringIO()
    await wait(Observer(stream=stream), 0.06)
    assert re.fullmatch(r"building \.\.\.\nbuilding: 0\.\d s\n", stream.getvalue())


async def test_a_terminal_gets_a_spinner_with_the_current_step() -> None:
    stream = Terminal()
    observer = Observer(stream=stream)
    with observer.waiting("building"):
        await asyncio.sleep(0.05)
        observer.step("resolving")
        observer.say("a line beside it")
        await asyncio.sleep(0.15)
    text = stream.getvalue()
    assert "building" in text
    assert "resolving" in text
    assert "a line beside it\n" in text


async def test_what_writes_its_own_lines_has_none_of_these() -> None:
    stream = io.StringIO()
    await wait(Observer(stream=stream), 0.06, lines=False)
    assert stream.getvalue() == ""


async def test_quiet_silences_all_but_what_went_wrong() -> None:
    stream, log = io.StringIO(), io.StringIO()
    observer = Observer(quiet=True, stream=stream, log=log)
    observer.say("fine")
    await wait(observer, 0.06)
    observer.complain("broken")
    assert stream.getvalue() == "broken\n"
    assert "Z fine\n" in log.getvalue()


async def test_an_error_ends_the_spinner_and_passes() -> None:
    stream = Terminal()

    async def fail() -> None:
        with Observer(stream=stream).waiting("building"):
            await asyncio.sleep(0.05)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await fail()
    before = stream.getvalue()
    await asyncio.sleep(0.1)
    assert stream.getvalue() == before


def test_a_turn_is_one_line_with_what_was_done_and_how_it_ended() -> None:
    call = CallLine(
        id="1", tool="docker_sh", arguments={"command": "ls\n-la"}, is_error=False,
        text="exit code 0\nmuch", handle="o1", exit_code=0, duration_s=0.1,
    )  # fmt: skip
    line = TurnLine(
        turn=3, content="I look.", reasoning=None, finish_reason="tool_calls",
        usage=TurnUsage(prompt_tokens=10, completion_tokens=None, cached_tokens=None),
        attempts=(), repairs={}, calls=(call,), duration_s=1.26,
    )  # fmt: skip
    assert turn_text(line) == "turn  3  docker_sh(ls -la) -> exit code 0  [1.3 s, ? tokens]"
    failed = line.model_copy(update={"calls": (call.model_copy(update={"is_error": True}),)})
    assert " x exit code 0" in turn_text(failed)
    said = line.model_copy(update={"calls": ()})
    assert "says: I look." in turn_text(said)


async def test_whom_a_run_waits_for_is_a_line_now_and_then_and_all_of_it_is_in_the_log() -> None:
    stream, log = io.StringIO(), io.StringIO()
    observer = Observer(stream=stream, log=log)
    for second in (5, 9):
        observer.late(f"waiting for host: 503; next try in {second} s")
    assert stream.getvalue() == "waiting for host: 503; next try in 5 s\n"
    assert log.getvalue().count("waiting for host") == 2
    quiet = Observer(quiet=True, stream=(silent := io.StringIO()))
    quiet.late("waiting for host")
    assert silent.getvalue() == ""
