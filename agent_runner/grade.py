"""The last stage of an episode: its patch becomes a grade and a status, once its task holds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent_runner.config import RunConfig, Solver
from agent_runner.containers import container_spec
from agent_runner.draft import Draft
from agent_runner.errors import InfraFault
from agent_runner.gates import Gate
from agent_runner.grading.attempt import Grader
from agent_runner.grading.controls import ControlStore, Found, control, empty_found, gold_found
from agent_runner.grading.network import OpenNetwork
from agent_runner.grading.recipe import Recipe
from agent_runner.grading.verdict import Verdict, judge
from agent_runner.prepare import Prepared
from agent_runner.recipes import recipe_of
from agent_runner.result import Status
from agent_runner.run_dir import RunDir


@dataclass
class Grading:
    """How an episode is graded.

    Attributes:
        store: where controls are kept; None for a run without controls.
        beside: for controls, whose waiting is not what the episode is at; None for the same.
    """

    grader: Grader
    recipe: Recipe
    store: ControlStore | None
    solver: Solver
    beside: Grader | None = None
    _controls: asyncio.Task[Found] | None = field(default=None, init=False)

    def begin_controls(self) -> None:
        """Starts what controls are missing, beside whatever else is done; once is enough.

        Solvers that are a control themselves need none.
        """
        if self.store is None or self._controls is not None or self.solver in {"gold", "none"}:
            return
        grader = self.beside or self.grader
        self._controls = asyncio.create_task(control(grader, self.recipe, self.store))

    async def end(self) -> None:
        """Ends controls that nobody waits for any more."""
        if self._controls is not None:
            self._controls.cancel()
            await asyncio.wait([self._controls])

    async def grade(self, draft: Draft, directory: RunDir) -> None:
        """Grades the draft's patch and takes down what came of it.

        Raises:
            InfraFault, InvalidTask: there is no verdict.
        """
        patch = draft.patch or b""
        self.begin_controls()
        verdict = await judge(self.grader, self.recipe, patch, directory.grading)
        found = await self._found(verdict)
        draft.verdict = verdict = verdict.with_controls(found.controls)
        draft.grade = verdict.grade
        draft.status = Status.RESOLVED if verdict.grade.resolved else Status.UNRESOLVED
        if not found.hold:
            draft.invalid(found.message)

    async def _found(self, verdict: Verdict) -> Found:
        """What is known of the task: a run of a control's own patch is one."""
        own = Found()
        if self.solver == "gold" and self.recipe.reference:
            own = gold_found(verdict)
        elif self.solver == "none":
            own = empty_found(self.recipe, verdict.attempt)
        elif not self.recipe.has_ids:
            own = empty_found(self.recipe, verdict.attempts[1])
        if self._controls is not None:
            with suppress(InfraFault):  # the verdict stands; its task was not looked at
                return await self._controls
            return own
        return await self.store.add(self.recipe, own) if self.store is not None else own


@asynccontextmanager
async def grading_of(
    ready: Prepared, config: RunConfig, *, run: str, home: Path, own_tests: bool, gate: Gate,
    waiting: Callable[[], object] | None = None,
) -> AsyncIterator[Grading]:  # fmt: skip
    """How an episode will be graded; controls that run beside it end with the block.

    Raises:
        InvalidTask: the task's own rules cannot be followed.
    """
    spec = container_spec(config.limits, ready, run=run, role="grader")
    index = OpenNetwork.of(ready.builder.environ)
    limit_s, project = config.limits.grade_s, ready.planned.project
    grader = Grader(ready.builder.engine, spec, ready.head, limit_s, index, project, gate, waiting)
    wanted = config.controls and not own_tests
    store = ControlStore(home / "controls", ready.instance.key) if wanted else None
    recipe = recipe_of(ready.located, own_tests=own_tests)
    grading = Grading(grader, recipe, store, config.solver, replace(grader, waiting=None))
    try:
        yield grading
    finally:
        await grading.end()
