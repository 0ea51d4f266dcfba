"""What a person sees of a grading: one line for each that ends, everything in the log."""

import asyncio
import io

import pytest

from agent_runner.evaluation.directory import Outcome
from agent_runner.evaluation.view import GradeView
from agent_runner.result import Status
from agent_runner.screen import screen
from tests.unit.swebench.test_grade_work import GRADE

OUTCOME = Outcome(
    instance_id="a__b-1", status=Status.UNRESOLVED, reason="1 of 2 FAIL_TO_PASS fail",
    patch_sha256="0", identity="0", grade=GRADE, duration_s=4.26,
)  # fmt: skip


def seen(outcome: Outcome, total: int = 12) -> str:
    stream = io.StringIO()
    GradeView(total=total, stream=stream).ended(outcome)
    return stream.getvalue()


def test_an_outcome_is_one_line_with_its_reason() -> None:
    assert seen(OUTCOME) == " 1/12  unresolved   a__b-1  4.3 s: 1 of 2 FAIL_TO_PASS fail\n"


def test_what_is_kept_rerun_or_suspect_is_marked() -> None:
    grade = GRADE.model_copy(update={"suspect": True, "reran": ("t",)})
    update = {"status": Status.RESOLVED, "reason": "", "source": "kept", "grade": grade}
    kept = OUTCOME.model_copy(update=update)
    assert seen(kept, 1) == "1/1  resolved     a__b-1  kept (reran 1, suspect)\n"


async def test_steps_go_to_the_log_and_not_to_the_screen() -> None:
    stream, log = io.StringIO(), io.StringIO()
    view = GradeView(total=1, stream=stream, log=log)
    observer = view.observer("a__b-1")
    with view.shown(), observer.waiting("building"):
        observer.step("resolving")
        observer.complain("again")
        observer.say("done")
    assert stream.getvalue() == ""
    said = [line.partition(" ")[2] for line in log.getvalue().splitlines()]
    assert said == [f"a__b-1: {text}" for text in ("building", "resolving", "again", "done")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_a_terminal_shows_what_is_being_done_and_keeps_the_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(screen, "REFRESH_S", 0.02)
    stream = Terminal()
    view = GradeView(total=2, stream=stream)
    with view.shown():
        view.observer("a__b-2").step("resolving [x]")
        await asyncio.sleep(0.05)
        view.ended(OUTCOME)
    assert "1 of 2 done: 1 unresolved" in stream.getvalue()
    assert "resolving [x]" in stream.getvalue()
    assert "1/2  unresolved   a__b-1  4.3 s: 1 of 2 FAIL_TO_PASS fail" in stream.getvalue()
