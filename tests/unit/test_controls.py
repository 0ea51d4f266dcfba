"""Whether a task holds on this machine: asked once, kept, and named where it does not."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from agent_runner.benchmarks.rows import reading_of, recipe
from agent_runner.config import RunConfig, Solver
from agent_runner.draft import Draft
from agent_runner.errors import FaultKind, InfraFault
from agent_runner.grade import Grading
from agent_runner.grading.attempt import Attempt, Grader, Ran
from agent_runner.grading.controls import ControlStore, Found, control
from agent_runner.grading.network import OpenNetwork
from agent_runner.grading.recipe import Log, Recipe
from agent_runner.result import Controls, Status
from agent_runner.run_dir import RunDir, create
from agent_runner.stages import Stages
from agent_runner.task import Task
from tools.testruns.outcome import Counts, Outcome, TestRun

P, F = Outcome.PASSED, Outcome.FAILED
GOLD, OTHER = b"gold", b"other"
TASK = Task(task_id="a", repo="r", patch="gold", FAIL_TO_PASS=("t::f",), PASS_TO_PASS=("t::p",))
FIXED, BASE, BROKEN = {"t::f": P, "t::p": P}, {"t::f": F, "t::p": P}, {"t::f": F, "t::p": F}


@dataclass(frozen=True)
class World(Grader):
    """What the tests come to with each patch; and what was asked, in order."""

    outcomes: dict[bytes, dict[str, Outcome]] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    def __init__(self, **outcomes: dict[str, Outcome]) -> None:
        by_patch = {b"" if name == "empty" else name.encode(): o for name, o in outcomes.items()}
        object.__setattr__(self, "outcomes", by_patch)
        object.__setattr__(self, "asked", [])
        object.__setattr__(self, "begun", asyncio.Event())
        object.__setattr__(self, "open_network", None)

    async def attempt(
        self, recipe: object, patch: bytes, log: Path, *, network: OpenNetwork | None = None
    ) -> Attempt:
        self.asked.append(patch)
        self.begun.set()
        await asyncio.sleep(0)
        if patch not in self.outcomes:
            raise InfraFault(FaultKind.CONTAINER_LOST, "gone")
        outcomes = self.outcomes[patch]
        run = TestRun(outcomes, Counts.of(outcomes.values()), "log", 0, "")
        made = Log(log, 0, timed_out=False, patch_applied=True)
        return Attempt(Ran("c", True, True, made), reading_of(TASK, run))


@pytest.fixture
def store(tmp_path: Path) -> ControlStore:
    return ControlStore(tmp_path / "controls", "layer")


RULES = recipe(TASK)


async def test_controls_run_once_per_task_layer_and_rules(store: ControlStore) -> None:
    world = World(gold=FIXED, empty=BASE)
    found = await control(world, RULES, store)
    assert found.controls == Controls(gold="passed", empty="passed")
    assert (found.hold, found.message) == (True, "")
    assert world.asked == [GOLD, b""]
    assert await control(world, RULES, store) == found
    assert world.asked == [GOLD, b""]
    await control(world, RULES, replace(store, layer_key="another"))
    await control(world, recipe(TASK.model_copy(update={"test_cmd": "other"})), store)
    assert len(world.asked) == 6


async def test_two_who_ask_at_once_run_them_once(store: ControlStore) -> None:
    world = World(gold=FIXED, empty=BASE)
    first, second = await asyncio.gather(control(world, RULES, store), control(world, RULES, store))
    assert first == second
    assert world.asked == [GOLD, b""]


@pytest.mark.parametrize(
    ("gold", "empty", "states", "named"),
    [
        (BASE, BASE, ("failed", "passed"), "t::f"),
        (FIXED, FIXED, ("passed", "failed"), "t::f"),
        (FIXED, BROKEN, ("passed", "failed"), "t::p"),
        ({"t::f": P, "t::p": F}, BASE, ("failed", "passed"), "t::p"),
    ],
)
async def test_what_does_not_hold_is_named(
    store: ControlStore, gold: dict[str, Outcome], empty: dict[str, Outcome],
    states: tuple[str, str], named: str,
) -> None:  # fmt: skip
    found = await control(World(gold=gold, empty=empty), RULES, store)
    assert (found.gold, found.empty) == states
    assert not found.hold
    assert f"({named})" in found.message


async def test_a_lone_failure_of_the_reference_runs_again(store: ControlStore) -> None:
    world = World(gold={"t::f": P, "t::p": F}, empty=BASE)
    await control(world, RULES, store)
    assert world.asked == [GOLD, GOLD, b""]


def test_many_tests_are_counted() -> None:
    tests = tuple(f"t::{number}" for number in range(7))
    assert "t::4 and 2 more)" in Found(gold="failed", gold_fails=tests).message


async def test_a_file_nobody_can_read_is_no_control(store: ControlStore) -> None:
    store.directory.mkdir()
    store.path(RULES).write_text("{half")
    world = World(gold=FIXED, empty=BASE)
    assert (await control(world, RULES, store)).hold
    assert world.asked == [GOLD, b""]


async def test_a_task_without_a_reference_has_no_gold_control(store: ControlStore) -> None:
    rules = recipe(TASK.model_copy(update={"patch": ""}))
    world = World(empty=BASE)
    found = await control(world, rules, store)
    assert found.controls == Controls(gold="not_run", empty="passed")
    await control(world, rules, store)
    assert world.asked == [b""]


async def graded(
    world: World, store: ControlStore | None, tmp_path: Path, solver: Solver, patch: bytes,
    *, rules: Recipe = RULES, beside: bool = False,
) -> Draft:  # fmt: skip
    config = RunConfig(solver=solver)
    draft = Draft(TASK, config, Stages(0.0), patch=patch)
    grading = Grading(world, rules, store, solver)
    if beside:
        grading.begin_controls()
        await asyncio.wait_for(world.begun.wait(), timeout=10)
    await grading.grade(draft, directory(tmp_path))
    await grading.end()
    return draft


def directory(tmp_path: Path) -> RunDir:
    return create("slug", tmp_path / f"out-{len(list(tmp_path.iterdir()))}")


@pytest.mark.parametrize("beside", [True, False])
async def test_a_verdict_says_its_controls(
    store: ControlStore, tmp_path: Path, beside: bool
) -> None:
    world = World(gold=FIXED, empty=BASE, other=FIXED)
    draft = await graded(world, store, tmp_path, "agent", OTHER, beside=beside)
    assert draft.status is Status.RESOLVED
    assert draft.grade is not None
    assert draft.grade.controls == Controls(gold="passed", empty="passed")
    assert sorted(world.asked) == [b"", GOLD, OTHER]
    await graded(world, store, tmp_path, "agent", OTHER)
    assert len(world.asked) == 4


async def test_a_task_that_does_not_hold_is_invalid_whatever_the_verdict(
    store: ControlStore, tmp_path: Path
) -> None:
    world = World(gold=BASE, empty=BASE, other=FIXED)
    draft = await graded(world, store, tmp_path, "agent", OTHER)
    assert draft.status is Status.INVALID_TASK
    assert draft.grade is not None
    assert draft.grade.official
    assert draft.grade.controls.gold == "failed"
    assert draft.error is not None
    assert "t::f" in draft.error.message


async def test_solvers_that_are_a_control_feed_them(store: ControlStore, tmp_path: Path) -> None:
    world = World(gold=FIXED, empty=BASE)
    draft = await graded(world, store, tmp_path, "gold", GOLD, beside=False)
    assert draft.grade is not None
    assert draft.grade.controls == Controls(gold="passed", empty="not_run")
    draft = await graded(world, store, tmp_path, "none", b"")
    assert draft.grade is not None
    assert draft.grade.controls == Controls(gold="passed", empty="passed")
    assert world.asked == [GOLD, b""]
    await control(world, RULES, store)
    assert world.asked == [GOLD, b""]


async def test_without_a_store_a_control_of_ones_own_still_decides(tmp_path: Path) -> None:
    draft = await graded(World(gold=BASE), None, tmp_path, "gold", GOLD)
    assert draft.status is Status.INVALID_TASK
    draft = await graded(World(other=FIXED), None, tmp_path, "patch", OTHER)
    assert draft.status is Status.RESOLVED


async def test_a_world_that_fails_beside_leaves_the_verdict(
    store: ControlStore, tmp_path: Path
) -> None:
    draft = await graded(World(other=FIXED), store, tmp_path, "agent", OTHER)
    assert draft.status is Status.RESOLVED
    assert draft.grade is not None
    assert draft.grade.controls == Controls()
