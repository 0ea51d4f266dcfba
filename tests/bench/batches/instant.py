"""A container that answers at once: the real tools over it, without Docker."""

import itertools
from typing import cast

from tools.outputs.store import Outputs
from tools.patching.limits import PatchLimits
from tools.toolset import Toolset
from tools.workspace.build.builder import Builder
from tools.workspace.channels.channel import Command, Execution, Sink
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.spec import WorkspaceSpec
from tools.workspace.workspace import Workspace

OUTPUT_BYTES = 4_000


class InstantContainer(Container):
    """Every command has printed some lines and ended well, each with others."""

    def __init__(self) -> None:
        self.spec = ContainerSpec("", {})
        self.disk = None
        self._numbers = itertools.count()

    @property
    def id(self) -> str:
        """Of no container."""
        return ""

    async def run(self, command: Command, sink: Sink | None = None) -> Execution:
        """Answers."""
        line = b"%06d: a line of a file, as long as lines are in most files\n" % next(self._numbers)
        text = line * (OUTPUT_BYTES // len(line))
        if sink is not None:
            sink.write("stdout", text)
        return Execution(0, b"" if sink else text, b"", 0, 0.0)


def instant_tools(outputs: Outputs) -> tuple[Workspace, Toolset]:
    """A workspace and its tools; only those that need no engine may be called."""
    workspace = Workspace(
        InstantContainer(), WorkspaceSpec("r", "main", "0" * 40, ""), cast(Engine, None)
    )
    tools = Toolset.of(
        workspace, outputs, cast(Builder, None),
        environment="", installable=False, patch_limits=PatchLimits(), expected=(),
    )  # fmt: skip
    return workspace, tools
