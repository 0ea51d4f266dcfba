"""`read_output`: pages through the full output of an earlier call."""

from dataclasses import dataclass

from pydantic import Field

from tools.errors import ToolRefusal
from tools.outputs.excerpt import SHOWN_CHARS
from tools.outputs.grep import LINE_CHARS, Found, Wanted, grep
from tools.outputs.lines import Lines
from tools.outputs.store import Outputs
from tools.tool import Answer, Arguments, Tool

MOST_LINES = 1000
# What is left of the budget is for the line above the page.
PAGE_CHARS = SHOWN_CHARS - 500
QUOTED_CHARS = 100


class ReadArguments(Arguments):
    """Arguments of `read_output`."""

    handle: str = Field(description="The handle an earlier call gave, such as o3.")
    start: int = Field(
        0,
        description="First line, counted from 0, or from the end where negative. With grep: where "
        "the search begins.",
    )
    lines: int = Field(200, ge=1, description="How many lines, at most 1000.")
    grep: str = Field("", description="Only lines this regular expression is found in.")


@dataclass(frozen=True)
class ReadOutput:
    """Reads outputs back from disk."""

    outputs: Outputs

    def tool(self) -> Tool:
        """The tool as the workbench offers it."""
        return Tool(
            "read_output",
            "Shows lines of the full output of an earlier call, by its handle.",
            ReadArguments,
            self.call,
            limit_s=30,
            closable=True,
        )

    async def call(self, arguments: ReadArguments) -> Answer:
        """Shows one page, with line numbers."""
        handle = arguments.handle
        lines = self.outputs.lines(handle)
        if lines is None:
            known = f"handles so far: o1 to o{self.outputs.count}" if self.outputs.count else "none"
            raise ToolRefusal(f"there is no output {handle[:QUOTED_CHARS]!r} ({known})")
        if not lines.count:
            return Answer(f"{handle} is empty: the command printed nothing", handle=handle)
        start = arguments.start
        if start < 0:
            start = max(0, lines.count + start)
        if start >= lines.count:
            raise ToolRefusal(
                f"{handle} has {lines.count} lines, 0 to {lines.count - 1}: there is none at "
                f"start={str(start)[:QUOTED_CHARS]}. start=-{arguments.lines} shows the last ones"
            )
        most = min(arguments.lines, MOST_LINES)
        if arguments.grep:
            found = await grep(lines, Wanted(arguments.grep, start, most, PAGE_CHARS))
            return Answer(_matches(arguments, start, found), bool(found.failed), handle)
        return Answer(f"{handle}: {_page(lines, start, most)}", handle=handle)


def _page(lines: Lines, start: int, most: int) -> str:
    shown: list[str] = []
    room = PAGE_CHARS
    line_chars = max(LINE_CHARS, PAGE_CHARS // most - LINE_CHARS)
    with lines.opened() as file:
        for number in range(start, min(start + most, lines.count)):
            text, size_bytes = file.line(number)
            if len(text) > line_chars:
                text = f"{text[:line_chars]} [cut: the line has {size_bytes} bytes]"
            line = f"{number}: {text}"
            if len(line) + 1 > room:
                break
            shown.append(line)
            room -= len(line) + 1
    after = start + len(shown)
    more = f"; start={after} continues" if after < lines.count else ""
    return "\n".join([f"lines {start} to {after - 1} of {lines.count}{more}", *shown])


def _matches(arguments: ReadArguments, start: int, found: Found) -> str:
    pattern = repr(arguments.grep)
    if len(pattern) > QUOTED_CHARS:
        pattern = f"{pattern[:QUOTED_CHARS]}..."
    count = len(found.shown)
    since = f" from line {start} on" if start else ""
    if found.failed:
        head = (
            f"the search for {pattern} was given up: {found.failed} (nested repetitions such as "
            f"(a+)+ do that). {count} lines are shown that it found before line {found.at}; use a "
            f"simpler pattern, or go on with start={found.at}"
        )
    elif not found.matches:
        head = f"none of lines {start} to {found.at - 1} matches {pattern}"
    else:
        more = f"; start={found.after} continues" if found.after is not None else ""
        head = f"{count} of {found.matches} lines that match {pattern}{since}{more}"
    if found.cut_lines:
        head += f"; of {found.cut_lines} very long lines only the first 8 MiB were searched"
    body = [f"{number}: {text}" for number, text in found.shown]
    return "\n".join([f"{arguments.handle}: {head}", *body])
