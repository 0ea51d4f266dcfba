"""`swe_pytest`: runs tests and says what came of it; advice to the agent, never a verdict."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from tools.ending import limits_met
from tools.errors import ToolRefusal
from tools.outputs.display import plain
from tools.outputs.store import Outputs
from tools.testruns.outcome import TestRun
from tools.testruns.pytest_command import pytest_argv
from tools.testruns.runner import SCRIPTS, Runner, choose_runner, project_argv
from tools.testruns.selection import Selection
from tools.testruns.summarise import combine
from tools.tool import Answer, Arguments, Tool
from tools.workspace.channels.channel import OUTPUT_LIMIT_BYTES, Execution, Limit
from tools.workspace.spec import PROJECT
from tools.workspace.workspace import Workspace

# Far below what Linux takes in one command line.
LONGEST_CHARS = 10_000
MOST_PATHS = 100
REPORTS = "/tmp/agent_runner-reports"


class PytestArguments(Arguments):
    """Arguments of `swe_pytest`."""

    paths: list[Annotated[str, Field(max_length=LONGEST_CHARS)]] = Field(
        default_factory=list,
        max_length=MOST_PATHS,
        description="Files, directories or test ids such as tests/test_a.py::test_b.",
    )
    k: str = Field(
        "", max_length=LONGEST_CHARS, description="Only tests whose names match this -k expression."
    )


@dataclass(frozen=True)
class SwePytest:
    """Runs pytest in the workspace, or the project's own runner where it has one.

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
            "Runs the project's tests with pytest (or with the runner that the project brings) and "
            "returns the end of the output, counts, exit code and seconds.",
            PytestArguments,
            self.call,
            limit_s=self.workspace.spec.tests_s + 120,
            closable=True,
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
        scripts = await self._scripts()
        runner = choose_runner(scripts)
        if runner is Runner.PYTEST:
            argv = pytest_argv(paths, k, report)
        else:
            argv = project_argv(runner, paths, k, scripts[runner.value])
        with self.outputs.capture() as capture:
            limit_bytes = min(capture.limit_bytes, OUTPUT_LIMIT_BYTES)  # it is read in memory
            done = await self.workspace.run(
                *argv, timeout_s=spec.tests_s, sink=capture, max_output_bytes=limit_bytes
            )
        xml = await self.workspace.container.read(report)
        await self.workspace.run("rm", "-rf", REPORTS, cwd="/")
        run = combine(
            xml,
            plain(self.outputs.path(capture.handle).read_bytes()),
            done.exit_code,
            done.limit is not None,
            Selection(paths, k, self.expected),
            runner,
        )
        lines = [*self._heading(run, done), self.outputs.shown(capture.handle)]
        return Answer(
            "\n".join(lines),
            is_error=done.limit is not None,
            handle=capture.handle,
            exit_code=done.exit_code,
            test_run=run,
        )

    def _heading(self, run: TestRun, done: Execution) -> list[str]:
        """What came of it, above the output."""
        tests_s, limits = self.workspace.spec.tests_s, self.workspace.container.spec.limits
        end = f"exit code {done.exit_code}"
        if done.limit is not None:
            end = {Limit.TIME: "timed out", Limit.DISK: "the disk limit was exceeded"}[done.limit]
        lines = [f"{run.summary} ({end}, {done.duration_s:.1f} s, source: {run.source})"]
        if run.disagreement:
            lines.append(f"note: {run.disagreement}")
        if done.timed_out:
            lines.append(f"the tests were ended after {tests_s:g} s; run fewer of them")
        return lines + limits_met(done, limits)

    async def _scripts(self) -> dict[str, bytes]:
        """The project's own test runners; none where the task names tests by pytest's ids."""
        if any("::" in test_id for test_id in self.expected):
            return {}
        read = self.workspace.container.read
        found = {name: await read(f"{PROJECT}/{name}") for name in SCRIPTS}
        return {name: script for name, script in found.items() if script}
