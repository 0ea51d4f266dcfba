"""Runners at once on one state directory, and a `clean` beside them: nobody disturbs anybody."""

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent_runner.run_dir import RunDir
from tests.e2e.small_task import SmallTask
from tests.e2e.traces import World, nameless

if TYPE_CHECKING:
    from tools.workspace.layers.base_image import Base

pytestmark = pytest.mark.e2e

LIMIT_S = 300
SECOND = 4242


@pytest.fixture
def world(tmp_path: Path, base: "Base") -> World:
    """Nothing is there yet but the init: no mirror, no lock, no package."""
    return World.make(tmp_path, shared=("init",))


def test_two_runs_of_one_task_and_a_clean_beside_them(world: World, tmp_path: Path) -> None:
    """First both find nothing there, then both find everything."""
    task = SmallTask.make(tmp_path / "task").args(SECOND)
    before = nameless()
    for state in ("cold", "warm"):
        outs = [tmp_path / f"{state}-{n}" for n in range(2)]
        cleaned, times = beside(world, [world.start(out, *task) for out in outs])
        for out in outs:
            said = out.with_suffix(".err").read_text(encoding="utf-8")
            result = json.loads((out / "result.json").read_text(encoding="utf-8"))
            assert result["status"] == "resolved", said
            assert RunDir(out).run_id not in cleaned
        logs = [(out / "run.log").read_text(encoding="utf-8") for out in outs]
        builders = sum("installing the project" in log for log in logs)
        assert builders <= 1, "the other waited and took what was made"
        assert times >= 3, "the clean was beside them for some time"
        assert world.left(outs) == {}
    assert nameless() <= before
    assert len(list((world.home / "mirrors").glob("*.git"))) == 1


def beside(world: World, runs: list[subprocess.Popen[bytes]]) -> tuple[set[str], int]:
    """Cleans until the runs are over: whose things it removed, and how often it ran."""
    cleaned: set[str] = set()
    times = 0
    try:
        while any(process.poll() is None for process in runs):
            cleaned |= world.clean()
            times += 1
    finally:
        for process in runs:
            process.wait(timeout=LIMIT_S)
    return cleaned, times
