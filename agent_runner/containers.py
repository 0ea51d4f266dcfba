"""The containers and workspaces of a run, as its configuration says."""

from agent_runner.config import Limits as ConfigLimits
from agent_runner.config import RunConfig
from agent_runner.prepare import Prepared
from agent_runner.task import Task
from tools.workspace import labels as label
from tools.workspace.container import ContainerSpec
from tools.workspace.limits import Limits
from tools.workspace.spec import WorkspaceSpec

# Here the owner itself can be looked for, and may be suspended.
LOCAL_LEASE_S = 86_400.0
REMOTE_LEASE_S = 900.0
MIB = 1024**2


def container_spec(
    limits: ConfigLimits, ready: Prepared, *, run: str, role: str, kept: bool = False
) -> ContainerSpec:
    """A container of the instance layer, without network.

    Args:
        role: as the label says, `agent` or `grader`.
        kept: nobody removes it at the end of the run.
    """
    lease_s = LOCAL_LEASE_S if ready.builder.engine.is_local else REMOTE_LEASE_S
    return ContainerSpec(
        image=ready.instance.image.id,
        labels=label.run_labels(run, role, lease_s=lease_s, renewed=True, kept=kept),
        limits=Limits(limits.memory_mb * MIB, limits.cpus, limits.pids, limits.disk_mb * MIB),
        init=ready.init,
    )


def workspace_spec(config: RunConfig, task: Task, ready: Prepared) -> WorkspaceSpec:
    """What the tools are told of the task."""
    return WorkspaceSpec(
        repo=task.repo,
        ref=task.ref,
        commit=ready.head,
        as_of=ready.planned.environment.as_of,
        project=ready.planned.project,
        pytest_k=task.pytest_k,
        test_paths=task.test_paths,
        tests_are_hidden=task.tests_are_hidden,
        tests_s=config.limits.tests_s,
        install_s=config.limits.install_s,
    )
