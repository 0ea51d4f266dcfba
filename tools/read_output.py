"""`read_output`: pages through the full output of an earlier call."""

import re
from dataclasses import dataclass

from pydantic import Field

from tools.errors import ToolRefusal
from tools.outputs import SHOWN_CHARS, Outputs
from tools.tool import Answer, Arguments, Tool

MOST_LINES = 1000


class ReadArguments(Arguments):
    """Arguments of `read_output`."""

    handle: str = Field(description="The handle an earlier call gave, such as o3.")
    start: int = Field(0, ge=0, description="First line, counted from 0.")
    lines: int = Field(200, ge=1, le=MOST_LINES, description="How many lines.")
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
        )

    async def call(self, arguments: ReadArguments) -> Answer:
        """Shows one page, with line numbers."""
        lines = self.outputs.lines(arguments.handle)
        if lines is None:
            known = f"handles so far: o1 to o{self.outputs.count}" if self.outputs.count else "none"
            raise ToolRefusal(f"there is no output {arguments.handle!r} ({known})")
        numbered = list(enumerate(lines))
        if arguments.grep:
            try:
                wanted = re.compile(arguments.grep)
            except re.error as error:
                raise ToolRefusal(f"grep is not a regular expression: {error}") from error
            numbered = [(number, line) for number, line in numbered if wanted.search(line)]
        page = numbered[arguments.start : arguments.start + arguments.lines]
        body = "\n".join(f"{number}: {line}" for number, line in page)[:SHOWN_CHARS]
        last = arguments.start + len(page)
        head = f"{arguments.handle}: lines {arguments.start} to {last} of {len(numbered)}"
        return Answer(f"{head}\n{body}", handle=arguments.handle)
