"""`swe_pytest`: runs tests and says what came of it; advice to the agent, never a verdict."""

from dataclasses import dataclass

from pydantic import Field

from tools.errors import ToolRefusal
from tools.outputs import Outputs, plain, shown
from tools.testruns.pytest_command import pytest_argv
from tools.testruns.selection import Selection
from tools.testruns.summarise import combine
from tools.tool import Answer, Arguments, Tool
from tools.workspace.workspace import Workspace

REPORTS = "/tmp/agent_runner-reports"


class PytestArguments(Arguments):
    """Arguments of `swe_pytest`."""

    paths: list[str] = Field(
        default_factory=list,
        description="Files, directories or test ids such as tests/test_a.py::test_b.",
    )
    k: str = Field("", description="Only tests whose names match this -k expression.")


@dataclass(frozen=True)
class SwePytest:
    """Runs pytest in the workspace.

    Attributes:
        expected: ids the agent may know, to read ambiguous ones by.
    """

    workspace: Workspace
    outputs: Outputs
    expected: tuple[str, ...] = ()

    def tool(self) -> Tool:
        """The tool as the workbench offers it."""
        return Tool(
            "swe_pytest",
            "Runs the project's tests with pytest and returns the end of the output, counts, exit "
            "code and seconds.",
            PytestArguments,
            self.call,
            limit_s=self.workspace.spec.tests_s + 120,
        )

    async def call(self, arguments: PytestArguments) -> Answer:
        """Runs the tests once."""
        spec = self.workspace.spec
        paths, k = tuple(arguments.paths), arguments.k
        if not paths and spec.tests_are_hidden:
            raise ToolRefusal(
                "swe_pytest did not run: the tests of this task are not in the repository, so "
                "there is no default. Give `paths`: the test files of the code you are changing."
            )
        if not paths and not k:
            paths, k = spec.test_paths, spec.pytest_k
        report = f"{REPORTS}/{self.outputs.count + 1}.xml"
        argv = pytest_argv(paths, k, report)
        done = await self.workspace.run(*argv, timeout_s=spec.tests_s)
        xml = await self.workspace.container.read(report)
        await self.workspace.run("rm", "-rf", REPORTS, cwd="/")
        run = combine(
            xml,
            plain(done.output),
            done.exit_code,
            done.timed_out,
            Selection(paths, k, self.expected),
        )
        handle = self.outputs.save(done.output)
        end = "timed out" if done.timed_out else f"exit code {done.exit_code}"
        lines = [f"{run.summary} ({end}, {done.duration_s:.1f} s, source: {run.source})"]
        if run.disagreement:
            lines.append(f"note: {run.disagreement}")
        if done.timed_out:
            lines.append(f"the tests were ended after {spec.tests_s:g} s; run fewer of them")
        lines.append(shown(done.output, handle))
        return Answer(
            "\n".join(lines),
            is_error=done.timed_out,
            handle=handle,
            exit_code=done.exit_code,
            test_run=run,
        )
