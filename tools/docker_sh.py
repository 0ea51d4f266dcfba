"""`docker_sh`: any shell command in the workspace."""

from dataclasses import dataclass

from pydantic import Field

from tools.outputs import Outputs, shown
from tools.tool import Answer, Arguments, Tool
from tools.workspace.channel import Execution
from tools.workspace.workspace import Workspace

LONGEST_S = 600.0


class ShellArguments(Arguments):
    """Arguments of `docker_sh`."""

    command: str = Field(description="The command line, run in /workspace/project.", min_length=1)
    timeout_s: float = Field(
        60.0, gt=0, le=LONGEST_S, description="Seconds after which the command is ended."
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
        done = await self.workspace.shell(arguments.command, timeout_s=arguments.timeout_s)
        handle = self.outputs.save(done.output)
        text = f"{ending(done, arguments.timeout_s)}\n{streams(done, handle)}"
        return Answer(text, is_error=done.timed_out, handle=handle, exit_code=done.exit_code)


def streams(done: Execution, handle: str) -> str:
    """Both streams as the model sees them; stderr is marked only where both have something."""
    if done.stdout and done.stderr:
        text = done.stdout.rstrip(b"\n") + b"\n--- stderr ---\n" + done.stderr
    else:
        text = done.output
    return shown(text, handle)


def ending(done: Execution, timeout_s: float) -> str:
    """One line: how the command ended."""
    if done.timed_out:
        return (
            f"timed out after {timeout_s:g} s; the command and everything it started were ended. "
            "Its output until then is below; a longer timeout_s, or a smaller command, may help"
        )
    notes = {137: " (killed: out of memory?)", 139: " (segmentation fault)", 127: " (not found)"}
    dropped = f", {done.dropped_bytes} bytes of output dropped" if done.dropped_bytes else ""
    return f"exit code {done.exit_code}{notes.get(done.exit_code or 0, '')}{dropped}"
