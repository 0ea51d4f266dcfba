"""`docker_sh`: any shell command in the workspace."""

from dataclasses import dataclass

from pydantic import Field

from tools.ending import ending
from tools.errors import ToolRefusal
from tools.outputs.store import Outputs
from tools.tool import Answer, Arguments, Tool
from tools.workspace.workspace import Workspace

LONGEST_S = 600.0
# Linux takes 128 KiB in one argument, its final NUL included (MAX_ARG_STRLEN).
LONGEST_COMMAND_BYTES = 128 * 1024 - 1


class ShellArguments(Arguments):
    """Arguments of `docker_sh`."""

    command: str = Field(description="The command line, run in /workspace/project.", min_length=1)
    timeout_s: float = Field(
        60.0, description="Seconds after which the command is ended, at most 600."
    )


@dataclass(frozen=True)
class DockerSh:
    """Runs commands; stdout first, then stderr."""

    workspace: Workspace
    outputs: Outputs

    def tool(self) -> Tool:
        """The tool as the workbench offers it."""
        return Tool(
            "docker_sh",
            "Runs a shell command in the workspace, in /workspace/project, and returns its output "
            "and exit code. Each call is a new shell; files and background processes stay. There "
            "is no network.",
            ShellArguments,
            self.call,
            limit_s=LONGEST_S + 60,
        )

    async def call(self, arguments: ShellArguments) -> Answer:
        """Runs one command."""
        check(arguments)
        timeout_s = min(arguments.timeout_s, LONGEST_S)
        with self.outputs.capture() as capture:
            done = await self.workspace.shell(
                arguments.command,
                timeout_s=timeout_s,
                max_output_bytes=capture.limit_bytes,
                sink=capture,
            )
        end = ending(done, timeout_s, self.workspace.container.spec.limits)
        return Answer(
            f"{end}\n{self.outputs.shown(capture.handle)}",
            is_error=done.limit is not None,
            handle=capture.handle,
            exit_code=done.exit_code,
        )


def check(arguments: ShellArguments) -> None:
    """Refuses what no shell can be given.

    Raises:
        ToolRefusal: the command was not run.
    """
    if not arguments.timeout_s > 0:  # NaN too
        raise ToolRefusal(
            f"the command was not run: timeout_s={arguments.timeout_s:g} leaves it no time; give "
            f"seconds above 0, at most {LONGEST_S:g}, or leave it out (60)"
        )
    command = arguments.command
    size_bytes = len(command.encode())
    if size_bytes > LONGEST_COMMAND_BYTES:
        raise ToolRefusal(
            f"the command was not run: it is {size_bytes} bytes long, and a command line holds at "
            f"most {LONGEST_COMMAND_BYTES}; write a long file in several commands (cat >> FILE)"
        )
