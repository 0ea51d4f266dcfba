"""A screen never makes its writer wait, and a terminal is left as it was found."""

import asyncio
import fcntl
import io
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO

import pytest

from agent_runner.screen import outlet as module
from agent_runner.screen import screen as screen_module
from agent_runner.screen.live_table import Styled
from agent_runner.screen.outlet import Outlet
from agent_runner.screen.screen import REFRESH_S, Screen

HIDE, BACK = "\x1b[?25l", "\x1b[?25h"


class Pty:
    """A terminal of which both ends are ours."""

    def __init__(self) -> None:
        self.ours, theirs = pty.openpty()
        os.set_blocking(self.ours, False)
        self.stream: IO[str] = os.fdopen(theirs, "w", encoding="utf-8")
        self.resize(100, 20)

    def resize(self, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.stream.fileno(), termios.TIOCSWINSZ, size)

    def seen(self) -> str:
        found = b""
        while True:
            try:
                found += os.read(self.ours, 65_536)
            except BlockingIOError:
                return found.decode().replace("\r\n", "\n")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pty]:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(screen_module, "REFRESH_S", 0.05)
    one = Pty()
    yield one
    one.stream.close()
    os.close(one.ours)


class Board:
    """Something to paint, and the sizes it was asked for."""

    def __init__(self) -> None:
        self.text = "first"
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, width: int, height: int) -> list[Styled]:
        self.sizes.append((width, height))
        return [Styled("head".ljust(width, ".")), Styled(self.text.ljust(width, "."), "red")]


async def test_paints_what_changed_and_no_more_often_than_it_may(terminal: Pty) -> None:
    board = Board()
    screen = Screen(terminal.stream)
    with screen.shown(board, str):
        await asyncio.sleep(0.12)
        unchanged = terminal.seen()
        for number in range(50):
            board.text = f"text {number}"
            screen.line(f"line {number}")
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.06)
        changed = terminal.seen()
    assert unchanged.count("head...") == 1
    assert 1 <= changed.count("head...") <= 8
    assert "line 49\n" in changed
    assert set(board.sizes) == {(99, 19)}


def test_a_person_sees_four_pictures_a_second_at_most() -> None:
    assert REFRESH_S >= 0.25


async def test_lines_stay_and_the_table_goes_when_it_is_over(terminal: Pty) -> None:
    with pytest.raises(KeyboardInterrupt), Screen(terminal.stream).shown(Board(), str):
        raise KeyboardInterrupt
    written = terminal.seen()
    assert written.index(HIDE) < written.index(BACK)
    assert written.removesuffix("\x1b[?2026l").endswith("\x1b[1A\x1b[2K")


async def test_a_last_line_is_not_lost(terminal: Pty) -> None:
    screen = Screen(terminal.stream)
    with screen.shown(Board(), str):
        screen.line("last words")
    assert "last words\n" in terminal.seen()


async def test_lines_that_a_narrower_terminal_folded_are_taken_away(terminal: Pty) -> None:
    with Screen(terminal.stream).shown(Board(), str):
        terminal.seen()
        terminal.resize(40, 20)
        await asyncio.sleep(0.1)
        # Two lines of 99 cells are three rows each: five up, all gone, back to where rich was.
        assert "\r\x1b[5A\x1b[J\x1b[1B" in terminal.seen()
        terminal.resize(100, 20)
        await asyncio.sleep(0.1)
        assert "\x1b[J" not in terminal.seen()


async def test_colours_are_for_those_who_want_them(
    terminal: Pty, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Screen(terminal.stream).shown(Board(), str):
        pass
    assert "\x1b[31m" in terminal.seen()
    monkeypatch.setenv("NO_COLOR", "1")
    with Screen(terminal.stream).shown(Board(), str):
        pass
    assert "\x1b[31m" not in terminal.seen()


async def test_a_painter_that_fails_stops_nobody(terminal: Pty) -> None:
    heard: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, what: heard.append(str(what)))
    board = Board()
    with Screen(terminal.stream).shown(board, str):
        board.text = None  # type: ignore[assignment]
        await asyncio.sleep(0.12)
        board.text = "fine again"
    assert len(heard) == 1
    assert "AttributeError" in heard[0]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    monkeypatch.setattr(module, "HURRY_S", 0.05)


SIZE = 1_000_000


@pytest.fixture
def pipe() -> Iterator[tuple[int, IO[str]]]:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        yield reading, stream
        while select.select((reading,), (), (), 0.2)[0]:  # the thread that hangs ends, too
            os.read(reading, SIZE)
    os.close(reading)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("end", [None, KeyboardInterrupt])
def test_a_reader_that_sleeps_keeps_nobody_waiting(
    pipe: tuple[int, IO[str]], end: type[BaseException] | None
) -> None:
    began_s = time.monotonic()
    with suppress(KeyboardInterrupt), Outlet(pipe[1]) as outlet:
        for _ in range(100):
            outlet.write("x" * (SIZE // 100))
        assert outlet.is_behind
        assert time.monotonic() - began_s < 0.5
        if end is not None:
            raise end
    assert time.monotonic() - began_s < 1


@pytest.mark.usefixtures("impatient")
def test_a_reader_that_is_slow_gets_everything(pipe: tuple[int, IO[str]]) -> None:
    got = 0

    def read() -> None:
        nonlocal got
        while got < SIZE:
            time.sleep(0.02)
            got += len(os.read(pipe[0], 65_536))

    reader = Thread(target=read)
    with Outlet(pipe[1]) as outlet:
        for _ in range(100):
            outlet.write("x" * (SIZE // 100))
        reader.start()
    assert not outlet.is_behind
    reader.join(5)
    assert got == SIZE


async def test_everything_arrives_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("w", encoding="ascii") as stream:
        stream.write("before\n")
        with Outlet(stream) as outlet:
            for number in range(100):
                outlet.write(f"{number} é\n")
        outlet.write("after\n")
    lines = path.read_text(encoding="ascii").splitlines()
    assert lines == ["before", *(f"{number} \\xe9" for number in range(100)), "after"]


def test_a_stream_in_memory_is_written_at_once() -> None:
    stream = io.StringIO()
    with Outlet(stream) as outlet:
        outlet.write("now")
        assert stream.getvalue() == "now"
