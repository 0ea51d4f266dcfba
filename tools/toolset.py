"""The six tools of one workspace."""

from collections.abc import Collection
from dataclasses import dataclass

from tools.docker_sh import DockerSh
from tools.outputs.store import Outputs
from tools.patching.limits import PatchLimits
from tools.read_output import ReadOutput
from tools.swe_apply_patch import SweApplyPatch
from tools.swe_clone import SweClone
from tools.swe_install import SweInstall
from tools.swe_pytest import SwePytest
from tools.tool import Tool
from tools.workspace.build.builder import Builder
from tools.workspace.workspace import Workspace


@dataclass(frozen=True)
class Toolset:
    """The hands, each also for the solvers that have no agent."""

    clone: SweClone
    install: SweInstall
    apply_patch: SweApplyPatch
    pytest: SwePytest
    shell: DockerSh
    read_output: ReadOutput

    @classmethod
    def of(
        cls, workspace: Workspace, outputs: Outputs, builder: Builder, *, environment: str,
        installable: bool, patch_limits: PatchLimits, expected: tuple[str, ...],
    ) -> "Toolset":  # fmt: skip
        """The tools of a workspace.

        Args:
            environment: the tag of the environment layer, where requirements are resolved.
            expected: test ids the agent may know.
        """
        return cls(
            clone=SweClone(workspace),
            install=SweInstall(workspace, builder, outputs, environment, installable),
            apply_patch=SweApplyPatch(workspace, patch_limits),
            pytest=SwePytest(workspace, outputs, expected),
            shell=DockerSh(workspace, outputs),
            read_output=ReadOutput(outputs),
        )

    def chosen(self, names: Collection[str]) -> list[Tool]:
        """Those of the named tools, in the order of their natural use."""
        tools = (
            self.clone.tool(),
            self.install.tool(),
            self.shell.tool(),
            self.apply_patch.tool(),
            self.pytest.tool(),
            self.read_output.tool(),
        )
        return [tool for tool in tools if tool.name in names]
