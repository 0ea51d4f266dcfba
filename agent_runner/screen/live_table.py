"""A table that is painted anew in its place, below the lines that scroll by."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment

from agent_runner.screen.cells import cells
from agent_runner.screen.outlet import Outlet

# A terminal that knows this mode (2026) shows what is between both at once; others ignore it.
HOLD, SHOW = "\x1b[?2026h", "\x1b[?2026l"


class Styled(NamedTuple):
    """One line, and how it looks in the words of rich: `red`, `bold`, `dim`."""

    text: str
    style: str = ""


# What is to be seen at a width and height in cells: lines narrower than that, and fewer.
Paint = Callable[[int, int], Sequence[Styled]]


class LiveTable:
    """Paints when `refresh` is called, in one write, and only what changed since.

    Lines that fit already cost rich about a millisecond, a table of it many times that.
    """

    def __init__(self, outlet: Outlet, paint: Paint) -> None:
        self._outlet = outlet
        self._paint = paint
        self._console = Console(file=_Whole(outlet), highlight=False)  # type: ignore[arg-type]
        self._live = Live(
            self, console=self._console, auto_refresh=False, transient=True, redirect_stdout=False
        )  # fmt: skip
        self._frame: Sequence[Styled] = ()
        self._width = self._measure()
        self._waiting: list[Styled] = []

    @contextmanager
    def shown(self) -> Iterator[None]:
        """The table is there inside, and gone after it whatever happens; the lines stay."""
        self._frame = self._painted()
        with self._live:
            try:
                yield
            finally:
                self.refresh()

    def line(self, text: str, style: str) -> None:
        """One line above the table, with the next refresh."""
        self._waiting.append(Styled(text, style))

    def refresh(self) -> None:
        """Paints if something changed."""
        width = self._measure()
        frame = self._painted()
        if frame == self._frame and not self._waiting and width == self._width:
            return
        with self._console:
            self._after_resize(width)
            self._frame = frame
            if self._waiting:
                lines, self._waiting = self._waiting, []
                self._console.print(_Lines(lines), soft_wrap=True, end="")
            else:
                self._live.refresh()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return _Lines(self._frame).__rich_console__(console, options)

    def _measure(self) -> int:
        """The width, of the very terminal that is written to; rich asks that of stdin."""
        with suppress(OSError):
            columns, lines = os.get_terminal_size(self._outlet.fileno())
            if columns and lines:
                self._console.size = ConsoleDimensions(columns, lines)
        return self._console.width

    def _painted(self) -> Sequence[Styled]:
        width, height = self._console.size
        return self._paint(width - 1, height - 1)

    def _after_resize(self, width: int) -> None:
        """A terminal that became narrower has folded the lines: rich would leave some behind."""
        before, self._width = self._width, width
        if width >= before:
            return
        rows = sum(max(1, -(-cells(line.text) // width)) for line in self._frame)
        back = f"\x1b[{len(self._frame) - 1}B" if len(self._frame) > 1 else ""
        up = f"\x1b[{rows - 1}A" if rows > 1 else ""
        self._console.file.write(f"\r{up}\x1b[J{back}")


class _Lines:
    """Lines for rich, one as they are to be seen."""

    def __init__(self, lines: Sequence[Styled]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._lines:
            yield Segment(line.text, console.get_style(line.style) if line.style else None)
            yield Segment.line()


class _Whole:
    """The file rich writes a frame to: in one piece, which is shown at once."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self.encoding = outlet.encoding

    def write(self, text: str) -> int:
        return self._outlet.write(f"{HOLD}{text}{SHOW}")

    def flush(self) -> None:
        self._outlet.flush()

    def isatty(self) -> bool:
        return self._outlet.isatty()

    def fileno(self) -> int:
        return self._outlet.fileno()
