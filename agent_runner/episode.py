"""An episode: one attempt at one task, from an image to a written result."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from agent_runner.containers import container_spec, workspace_spec
from agent_runner.draft import Draft
from agent_runner.errors import InfraFault, ProviderFault, UsageError
from agent_runner.grade import Grading, grading_of
from agent_runner.grading.attempt import InvalidTask
from agent_runner.images.cache_level import Layers, layers_kept
from agent_runner.imports import collector_paused
from agent_runner.job import Job
from agent_runner.observer import Observer
from agent_runner.prepare import Prepared, prepare
from agent_runner.provider.spending.budget import BudgetReached
from agent_runner.result import Result, Status
from agent_runner.solvers import Direct
from tools.outputs.store import Outputs
from tools.patching.limits import PatchLimits
from tools.toolset import Toolset
from tools.workspace.engine import Engine
from tools.workspace.isolation import host_addresses, measure
from tools.workspace.leftovers import outcome, remove_run, sweep
from tools.workspace.start import discard, start
from tools.workspace.workspace import BrokenRepository, Workspace

INTERRUPTED_LIMIT_S = 2.0


async def run_episode(job: Job, observer: Observer) -> Result:
    """Runs one episode; whatever happens, a result is written.

    Raises:
        CancelledError, BudgetReached: it was interrupted, in the second case by the budget of its
            batch; the result says so.
        UsageError: the repository has no such ref; nothing is written.
    """
    draft = Draft(job.located.task, job.config, job.stages)
    try:
        async with (
            _engine(job, observer) as engine,
            layers_kept(
                engine, job.config.images.cache_level, job.home, observer, job.gates.builds
            ) as layers,
        ):
            await _run(engine, job, draft, observer, layers)
    except UsageError:
        raise
    except (InfraFault, ProviderFault) as fault:
        draft.fail(fault)
    except InvalidTask as error:
        draft.invalid(str(error))
    except (asyncio.CancelledError, BudgetReached):
        draft.status = Status.INTERRUPTED
        draft.write(job.directory)
        raise
    except BaseException as bug:
        draft.fail(bug)
        draft.write(job.directory)
        raise
    return draft.write(job.directory)


async def _run(engine: Engine, job: Job, draft: Draft, observer: Observer, layers: Layers) -> None:
    """The main path: prepare, solve, collect, grade."""
    loading = asyncio.create_task(asyncio.to_thread(_load_agent)) if job.model else None
    ready = await prepare(
        engine, job.config, job.located, run=job.directory.run_id, home=job.home,
        stages=job.stages, observer=observer, layers=layers,
    )  # fmt: skip
    draft.provenance |= {
        "engine": engine.version,
        "base_commit": ready.commit,
        "layer_key": ready.instance.key,
        "image_digest": ready.instance.digest,
    }
    async with grading_of(
        ready, job.config, run=job.directory.run_id, home=job.home, own_tests=job.own_tests,
        gate=job.gates.gradings, waiting=lambda: observer.step("waiting for room to grade"),
    ) as grading:  # fmt: skip
        await _solved(engine, job, ready, draft, observer, grading, loading)
        with job.stages.stage("grade"), observer.waiting("grading in a fresh container"):
            await grading.grade(draft, job.directory)
    observer.say(f"graded: {draft.status}")


async def _solved(
    engine: Engine, job: Job, ready: Prepared, draft: Draft, observer: Observer, grading: Grading,
    loading: Awaitable[None] | None,
) -> None:  # fmt: skip
    """From a workspace to a patch."""
    async with (
        job.gates.containers.passed(lambda: observer.step("waiting for room for a container")),
        _workspace(engine, job, ready, draft) as workspace,
    ):
        try:
            if loading is not None:
                await loading
            async with (
                _measured(workspace, ready, draft, grading) as measured,
                job.gates.work.passed(lambda: observer.step("waiting for its turn to work")),
            ):
                await _solve(job, ready, workspace, draft, observer, measured)
            with job.stages.stage("collect"):
                draft.patch = await workspace.collect()
        except BaseException:
            await _rescue(workspace, draft)
            raise


def _load_agent() -> None:
    """AutoGen and the OpenAI SDK take a second to import; the container starts meanwhile."""
    with collector_paused():
        importlib.import_module("agent_runner.agent_run")


@asynccontextmanager
async def _engine(job: Job, observer: Observer) -> AsyncIterator[Engine]:
    """The engine, swept of what dead runs left, and at the end of what this one may leave."""
    async with Engine() as engine:
        if job.sweeps:
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
    run = job.directory.run_id
    spec = container_spec(job.config.limits, ready, run=run, role="agent", kept=job.keep)
    async with job.gates.starts.passed():
        with job.stages.stage("workspace"):
            container = await start(engine, spec)
    draft.agent_container = container.id
    try:
        yield Workspace(container, workspace_spec(job.config, job.located.task, ready), engine)
    finally:
        if job.keep:
            await container.close()
        else:
            await discard(engine, container)


@asynccontextmanager
async def _measured(
    workspace: Workspace, ready: Prepared, draft: Draft, grading: Grading
) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Measures the isolation beside the first model call; nobody acts before it is over.

    The controls begin when somebody wants to act: by then the model was asked.
    """
    measuring = asyncio.create_task(
        measure(
            workspace.container,
            ready.mirror,
            ready.commit,
            ready.instance.objects_sha256,
            project=ready.planned.project,
            hidden_blobs=ready.hidden_blobs,
            hosts=await host_addresses(ready.builder.engine),
        )
    )
    try:

        async def acting() -> None:
            grading.begin_controls()
            await asyncio.shield(measuring)

        yield acting
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
        job.directory.trajectory, job.directory.recording, measured, job.client,
    )  # fmt: skip
    with job.stages.stage("agent"):
        await run.solve()


async def _rescue(workspace: Workspace, draft: Draft) -> None:
    """Takes the patch so far from an episode that was cut short, if that is quick."""
    with suppress(TimeoutError, BrokenRepository, InfraFault):
        async with asyncio.timeout(INTERRUPTED_LIMIT_S):
            draft.patch = await workspace.diff()
