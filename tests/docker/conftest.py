"""A workspace's tools, a grader, and images that exist for one test only."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent_runner.environments.plan import plan
from agent_runner.grading.attempt import Grader
from agent_runner.prepare import Prepared
from agent_runner.task import Task
from tests.docker.official import OfficialTask
from tests.unit.conftest import new_repository  # noqa: F401 - a fixture
from tools.outputs.store import Outputs
from tools.patching.limits import PatchLimits
from tools.toolset import Toolset
from tools.workspace.build.builder import Builder
from tools.workspace.container import ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.layers.base_image import Base
from tools.workspace.packages.environment import EnvironmentPlan
from tools.workspace.repository.mirrors import Mirror, open_mirror
from tools.workspace.workspace import Workspace

AS_OF = "2024-06-01T00:00:00Z"

Planned = tuple[Mirror, str, EnvironmentPlan]
PlanOf = Callable[[Path], Awaitable[Planned]]


@pytest.fixture
async def throwaway(engine: Engine) -> AsyncIterator[list[str]]:
    """Tags of images, removed when the test is over."""
    tags: list[str] = []
    yield tags
    for tag in tags:
        await engine.remove_image(tag)


@pytest.fixture
def plan_of(home: Path, base: Base) -> PlanOf:
    """Mirrors a repository and plans the environment of its HEAD."""

    async def make(repository: Path) -> Planned:
        task = Task(task_id="own", repo=str(repository), created_at=AS_OF)
        mirror = await open_mirror(str(repository), "HEAD", home, timeout_s=60)
        commit = await mirror.commit_of("HEAD")
        planned = await plan(mirror, commit, task, base.python)
        return mirror, commit, planned.environment

    return make


@pytest.fixture
def tools(workspace: Workspace, prepared: Prepared, builder: Builder, tmp_path: Path) -> Toolset:
    """The six tools in the seed's workspace."""
    return tools_of(workspace, prepared, builder, tmp_path)


def tools_of(
    workspace: Workspace, prepared: Prepared, builder: Builder, directory: Path
) -> Toolset:
    """The six tools of a workspace; outputs go to the directory."""
    outputs = directory / "outputs"
    outputs.mkdir()
    return Toolset.of(
        workspace, Outputs(outputs), builder,
        environment=prepared.instance.environment,
        installable=True,
        patch_limits=PatchLimits(),
        expected=(),
    )  # fmt: skip


def adding(path: str, text: str) -> bytes:
    """A patch that makes a file."""
    lines = text.splitlines()
    body = "".join(f"+{line}\n" for line in lines)
    head = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n"
    return f"{head}@@ -0,0 +1,{len(lines)} @@\n{body}".encode()


@pytest.fixture
def task(prepared: Prepared) -> Task:
    return prepared.located.task


@pytest.fixture
def gold(task: Task) -> bytes:
    return task.patch.encode()


@pytest.fixture
def grader(engine: Engine, prepared: Prepared, container_spec: ContainerSpec) -> Grader:
    spec = replace(container_spec, image=prepared.instance.image.id)
    return Grader(engine, spec, prepared.commit, timeout_s=60)


@pytest.fixture
def official(grader: Grader, task: Task) -> OfficialTask:
    return OfficialTask(task, grader)
