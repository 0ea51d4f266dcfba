"""Many things side by side: what each is at, and a line for each that is over."""

import asyncio
import io

import pytest

from agent_runner.screen import screen
from agent_runner.screen.cells import cells
from agent_runner.screen.steps import StepsView


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def painted(view: StepsView, width: int = 59, height: int = 9) -> list[str]:
    return [line.text for line in view._paint(width, height)]


def test_the_table_says_how_far_it_is_and_what_each_is_at() -> None:
    view = StepsView(total=3, stream=io.StringIO())
    view.step("a", "pulling")
    view.step("longer", "resolving\n\x1b[1mmore")
    view.over("b", "built", "b built")
    assert painted(view) == [
        "1 of 3 done: 1 built, 0 s", "a       pulling", "longer  resolving more"
    ]  # fmt: skip


@pytest.mark.parametrize(("height", "rows"), [(0, 0), (1, 0), (2, 0), (3, 1), (9, 7), (99, 50)])
def test_what_has_no_room_is_counted(height: int, rows: int) -> None:
    view = StepsView(total=50, stream=io.StringIO())
    for number in range(50):
        view.step(f"日本語-{number}" * 9, "working" * 20)
    lines = painted(view, height=height)
    assert len(lines) <= height
    assert max(map(cells, lines), default=0) <= 59
    assert len([line for line in lines if line.startswith("…")]) == rows
    if 2 <= height < 51:
        assert lines[-1] == f"and {50 - rows} more"


async def test_silence_is_broken_by_who_is_at_it_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "SILENCE_S", 0.05)
    stream = io.StringIO()
    view = StepsView(total=2, stream=stream)
    with view.shown():
        view.step("a", "pulling")
        await asyncio.sleep(0.12)
    assert stream.getvalue().startswith("0 of 2 done, 0 s; a: pulling\n")


async def test_what_a_table_counts_needs_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for stream, is_said in ((Terminal(), False), (io.StringIO(), True)):
        view = StepsView(total=1, stream=stream)
        with view.shown():
            view.over("a", "there", "a was there", is_news=False)
        assert ("1/1  a was there" in stream.getvalue()) == is_said
