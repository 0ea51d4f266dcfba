"""How many work at once: as many as were asked for, while the next are made ready beside."""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent_runner.batch.events import EpisodeStep, EpisodeTurn, from_json
from tests.e2e.batches.small_batch import SmallBatch

if TYPE_CHECKING:
    from tools.workspace.layers.base_image import Base

pytestmark = pytest.mark.e2e

TASKS = 4
WAITS = "waiting for its turn to work"


def test_one_at_a_time_works_and_the_next_waits_in_its_container(
    tmp_path: Path, home: Path, base: "Base"
) -> None:
    small = SmallBatch.make(tmp_path / "small", home, layers=1, tasks=TASKS, at_once=1)
    ran = small.run(str(small.yaml), "--out", str(tmp_path / "out"), "--json", "--quiet")
    assert ran.returncode == 0, ran.stderr
    events = [from_json(text) for text in ran.stdout.splitlines()]
    turns = [event.key for event in events if isinstance(event, EpisodeTurn)]
    assert len([key for key, _ in groupby(turns)]) == TASKS, "two worked at once"
    waited = {
        event.key for event in events if isinstance(event, EpisodeStep) and event.text == WAITS
    }
    assert len(waited) >= TASKS // 2, "none was made ready while another worked"
