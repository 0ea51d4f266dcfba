"""A batch that is killed within milliseconds of what it does, again and again, and resumed."""

import os
import random
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.batches.killing import Killing
from tests.e2e.batches.small_batch import SmallBatch, kept
from tests.e2e.traces import World

if TYPE_CHECKING:
    from tools.workspace.layers.base_image import Base

pytestmark = pytest.mark.e2e

SEED_VARIABLE = "AGENT_RUNNER_TEST_SEED"
TASKS = 6
# One at each of the points and the others at random moments; `make bench` has many more.
KILLS = 8


def test_a_killed_batch_ends_as_one_that_was_not(base: "Base", tmp_path: Path) -> None:
    seed = int(os.environ.get(SEED_VARIABLE, secrets.randbits(32)))
    print(f"\n{SEED_VARIABLE}={seed}")  # noqa: T201 - pytest shows it with a failure
    world = World.make(tmp_path, shared=("uv", "init"))
    rng = random.Random(seed)
    calm = SmallBatch.make(tmp_path / "calm", world.home, layers=2, tasks=TASKS)
    ran = calm.run(str(calm.yaml), "--out", str(tmp_path / "undisturbed"))
    assert ran.returncode == 0, ran.stderr
    # Other seconds are other layers: those are committed while it is killed.
    batch = SmallBatch.make(
        tmp_path / "small", world.home, layers=2, tasks=TASKS, seconds=rng.randrange(1, 80_000)
    )
    killing = Killing(batch, tmp_path / "killed", rng)
    killing.run(KILLS)
    print("\n".join(killing.done))  # noqa: T201
    assert kept(tmp_path / "killed") == kept(tmp_path / "undisturbed")
    world.clean()
    runs = [*(tmp_path / "killed").glob("episodes/*"), *(tmp_path / "killed").glob("tries/*")]
    assert world.left(runs) == {}
