"""The solvers without an agent: the reference patch, no patch, or a patch from a file."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from agent_runner.config import Limits
from agent_runner.draft import Draft
from agent_runner.errors import FaultKind, InfraFault
from agent_runner.observer import Observer
from tools.errors import ToolRefusal
from tools.outputs.display import plain
from tools.outputs.store import Outputs
from tools.swe_clone import CloneArguments
from tools.swe_install import InstallArguments
from tools.swe_pytest import PytestArguments
from tools.tool import Answer
from tools.toolset import Toolset
from tools.workspace.workspace import Workspace


@dataclass(frozen=True)
class Direct:
    """Clone, install, tests, apply, tests again; each a stage with its own limit."""

    workspace: Workspace
    tools: Toolset
    outputs: Outputs
    limits: Limits
    draft: Draft
    observer: Observer

    async def solve(self, patch: bytes) -> None:
        """Goes through the steps; an empty patch is not applied.

        Raises:
            InfraFault: `stage_timeout`, where the world was too slow.
        """
        with self.draft.stages.stage("clone"), self.observer.waiting("looking at the project"):
            call = self.tools.clone.call(CloneArguments())
            cloned = await self._within(call, "clone", self.limits.clone_s)
            self.observer.say(cloned.text.splitlines()[0])
        with self.draft.stages.stage("install"), self.observer.waiting("installing"):
            installed = await self.tools.install.call(InstallArguments())
            self.observer.say(installed.text.splitlines()[0][:160])
        files = await self._visible_tests()
        with self.draft.stages.stage("tests_before"), self.observer.waiting("running the tests"):
            self.draft.tail_before = await self._tests("before", files)
        if patch:
            await self._apply(patch, files)

    async def _apply(self, patch: bytes, files: tuple[str, ...]) -> None:
        with self.draft.stages.stage("tests_after"), self.observer.waiting("running the tests"):
            try:
                applied = await self.tools.apply_patch.apply(patch)
            except ToolRefusal as refusal:
                self.observer.say(f"the patch was refused: {refusal}")
                return
            self.observer.say(applied.text.splitlines()[0])
            self.draft.tail_after = await self._tests("after", files)

    async def _tests(self, when: str, files: tuple[str, ...]) -> str:
        """Runs the tests that are there, and returns the whole output."""
        if self.workspace.spec.tests_are_hidden and not files:
            self.observer.say(f"tests {when}: none of the task's test files is in the repository")
            return ""
        answer = await self.tools.pytest.call(PytestArguments(paths=list(files)))
        self.observer.say(f"tests {when}: {answer.text.splitlines()[0]}")
        return plain(self.outputs.path(answer.handle).read_bytes()) if answer.handle else ""

    async def _visible_tests(self) -> tuple[str, ...]:
        """The test files of the task's ids that the base commit has; none means the default."""
        task = self.draft.task
        if not task.FAIL_TO_PASS:
            return ()
        script = 'for file; do [ -f "$file" ] && printf "%s\\n" "$file"; done; true'
        found = await self.workspace.run("/bin/sh", "-c", script, "sh", *task.test_files)
        return tuple(found.stdout.decode("utf-8", "replace").splitlines())

    async def _within(self, step: Awaitable[Answer], stage: str, limit_s: float) -> Answer:
        try:
            async with asyncio.timeout(limit_s):
                return await step
        except TimeoutError as error:
            message = f"{stage} took longer than {limit_s:g} s (limits.{stage}_s)"
            raise InfraFault(FaultKind.STAGE_TIMEOUT, message, retryable=True) from error
