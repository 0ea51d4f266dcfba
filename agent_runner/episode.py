"""An episode: one attempt at one task, from an image to a written result."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent_runner.config import RunConfig
from agent_runner.draft import Draft
from agent_runner.errors import InfraFault, ProviderFault, UsageError
from agent_runner.grade import grade
from agent_runner.grading.attempt import Grader, InvalidTask
from agent_runner.imports import collector_paused
from agent_runner.model import Model
from agent_runner.observer import Observer
from agent_runner.prepare import Prepared, prepare
from agent_runner.prompts import Prompts
from agent_runner.result import Result, Status
from agent_runner.run_dir import RunDir
from agent_runner.solvers import Direct
from agent_runner.stages import Stages
from agent_runner.task import Located
from tools.outputs.store import Outputs
from tools.patching.limits import PatchLimits
from tools.toolset import Toolset
from tools.workspace import labels as label
from tools.workspace.container import ContainerSpec, Limits
from tools.workspace.engine import Engine
from tools.workspace.isolation import measure
from tools.workspace.leftovers import outcome, remove_run, sweep
from tools.workspace.spec import WorkspaceSpec
from tools.workspace.start import discard, start
from tools.workspace.workspace import BrokenRepository, Workspace

INTERRUPTED_LIMIT_S = 2.0
# Here the owner itself can be looked for, and may be suspended.
LOCAL_LEASE_S = 86_400.0
REMOTE_LEASE_S = 900.0
MIB = 1024**2


@dataclass(frozen=True)
class Job:
    """What is to be done, all of it checked.

    Attributes:
        patch: what a solver without an agent applies; empty for nothing.
        own_tests: the patch's own tests count (a direct run), so no test file is set back.
        model, prompts: None without an agent.
    """

    config: RunConfig
    located: Located
    directory: RunDir
    home: Path
    stages: Stages
    patch: bytes = b""
    own_tests: bool = False
    model: Model | None = None
    prompts: Prompts | None = None
    keep: bool = False


async def run_episode(job: Job, observer: Observer) -> Result:
    """Runs one episode; whatever happens, a result is written.

    Raises:
        CancelledError: it was interrupted; the result says so.
        UsageError: the repository has no such ref; nothing is written.
    """
    draft = Draft(job.located.task, job.config, job.stages)
    try:
        async with _engine(job, observer) as engine:
            await _run(engine, job, draft, observer)
    except UsageError:
        raise
    except (InfraFault, ProviderFault) as fault:
        draft.fail(fault)
    except InvalidTask as error:
        draft.invalid(str(error))
    except asyncio.CancelledError:
        draft.status = Status.INTERRUPTED
        draft.write(job.directory)
        raise
    except BaseException as bug:
        draft.fail(bug)
        draft.write(job.directory)
        raise
    return draft.write(job.directory)


async def _run(engine: Engine, job: Job, draft: Draft, observer: Observer) -> None:
    """The main path: prepare, solve, collect, grade."""
    loading = asyncio.create_task(asyncio.to_thread(_load_agent)) if job.model else None
    ready = await prepare(
        engine, job.config, job.located, run=job.directory.run_id, home=job.home,
        stages=job.stages, observer=observer,
    )  # fmt: skip
    draft.provenance |= {
        "engine": engine.version,
        "base_commit": ready.commit,
        "layer_key": ready.instance.key,
        "image_digest": ready.instance.image.id,
    }
    async with _workspace(engine, job, ready, draft) as workspace:
        try:
            if loading is not None:
                await loading
            async with _measured(workspace, ready, draft) as measured:
                await _solve(job, ready, workspace, draft, observer, measured)
            with job.stages.stage("collect"):
                draft.patch = await workspace.collect()
        except BaseException:
            await _rescue(workspace, draft)
            raise
    with job.stages.stage("grade"), observer.waiting("grading in a fresh container"):
        grader = Grader(
            engine, _container(job, ready, "grader"), ready.commit, job.config.limits.grade_s
        )
        await grade(grader, draft, job.directory.grading, own_tests=job.own_tests)
    observer.say(f"graded: {draft.status}")


def _load_agent() -> None:
    """AutoGen and the OpenAI SDK take a second to import; the container starts meanwhile."""
    with collector_paused():
        importlib.import_module("agent_runner.agent_run")


@asynccontextmanager
async def _engine(job: Job, observer: Observer) -> AsyncIterator[Engine]:
    """The engine, swept of what dead runs left, and at the end of what this one may leave."""
    async with Engine() as engine:
        with observer.waiting("removing what dead runs left"):
            await sweep(engine, told=lambda *one: observer.say(outcome(*one)))
        try:
            yield engine
        finally:
            try:
                await remove_run(engine, job.directory.run_id, keep=job.keep)
            except InfraFault as fault:
                observer.complain(f"not cleaned up, `clean` will: {fault.message}")


@asynccontextmanager
async def _workspace(
    engine: Engine, job: Job, ready: Prepared, draft: Draft
) -> AsyncIterator[Workspace]:
    with job.stages.stage("workspace"):
        container = await start(engine, _container(job, ready, "agent"))
    draft.agent_container = container.id
    try:
        yield Workspace(container, _spec(job, ready), engine)
    finally:
        if job.keep:
            await container.close()
        else:
            await discard(engine, container)


def _spec(job: Job, ready: Prepared) -> WorkspaceSpec:
    task, limits = job.located.task, job.config.limits
    return WorkspaceSpec(
        repo=task.repo,
        ref=task.ref,
        commit=ready.commit,
        as_of=ready.planned.environment.as_of,
        project=ready.planned.project,
        pytest_k=task.pytest_k,
        test_paths=task.test_paths,
        tests_are_hidden=task.tests_are_hidden,
        tests_s=limits.tests_s,
        install_s=limits.install_s,
    )


def _container(job: Job, ready: Prepared, role: str) -> ContainerSpec:
    limits = job.config.limits
    kept = job.keep and role == "agent"
    lease_s = LOCAL_LEASE_S if ready.builder.engine.is_local else REMOTE_LEASE_S
    run = job.directory.run_id
    return ContainerSpec(
        image=ready.instance.image.id,
        labels=label.run_labels(run, role, lease_s=lease_s, renewed=True, kept=kept),
        limits=Limits(limits.memory_mb * MIB, limits.cpus, limits.pids, limits.disk_mb * MIB),
        init=ready.init,
    )


@asynccontextmanager
async def _measured(
    workspace: Workspace, ready: Prepared, draft: Draft
) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Measures the isolation beside the first model call; nobody acts before it is over."""
    measuring = asyncio.create_task(
        measure(
            workspace.container,
            ready.mirror,
            ready.commit,
            ready.instance.objects_sha256,
            project=ready.planned.project,
            hidden_blobs=ready.hidden_blobs,
        )
    )
    try:
        yield lambda: asyncio.shield(measuring)
        draft.isolation = await measuring
    finally:
        if measuring.done() and not measuring.cancelled() and not measuring.exception():
            draft.isolation = measuring.result()
        measuring.cancel()


async def _solve(
    job: Job, ready: Prepared, workspace: Workspace, draft: Draft, observer: Observer,
    measured: Callable[[], Awaitable[object]],
) -> None:  # fmt: skip
    task, config = job.located.task, job.config
    outputs = Outputs(job.directory.outputs)
    limits = PatchLimits(config.patch.max_bytes, config.patch.max_files, config.patch.max_hunks)
    tools = Toolset.of(
        workspace, outputs, ready.builder,
        environment=ready.instance.environment,
        installable=bool(ready.planned.environment.metadata_file),
        patch_limits=limits,
        expected=() if task.tests_are_hidden else task.FAIL_TO_PASS + task.PASS_TO_PASS,
    )  # fmt: skip
    if job.model is None or job.prompts is None:
        with job.stages.stage("workspace"):
            await measured()
        direct = Direct(workspace, tools, outputs, config.limits, draft, observer)
        await direct.solve(job.patch)
        return
    from agent_runner.agent_run import AgentRun

    run = AgentRun(
        config, job.model, job.prompts, workspace, tools, outputs, draft, observer,
        job.directory.trajectory, measured,
    )  # fmt: skip
    with job.stages.stage("agent"):
        await run.solve()


async def _rescue(workspace: Workspace, draft: Draft) -> None:
    """Takes the patch so far from an episode that was cut short, if that is quick."""
    with suppress(TimeoutError, BrokenRepository, InfraFault):
        async with asyncio.timeout(INTERRUPTED_LIMIT_S):
            draft.patch = await workspace.diff()
