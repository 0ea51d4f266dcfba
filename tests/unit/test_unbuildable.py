"""What was seen not to build is remembered, by what determines it and for a while."""

from dataclasses import replace
from pathlib import Path

import pytest

from tools.workspace.engine import Image
from tools.workspace.packages import unbuildable
from tools.workspace.packages.environment import EnvironmentPlan
from tools.workspace.packages.ground import ROOT
from tools.workspace.packages.unbuildable import AGE_S, OWN, Unbuildable

PLAN = EnvironmentPlan(python="3.9", as_of="2021-01-01T00:00:00Z", debian=("gcc",))
BELOW = Image("sha256:1", {ROOT: "ground"}, 1, ("a:1",))
SAID = f"Failed to build `slow==1.0`: {OWN}: command 'gcc' failed"


def memory(
    home: Path, *, below: Image = BELOW, plan: EnvironmentPlan = PLAN, architecture: str = "amd64"
) -> Unbuildable:
    return Unbuildable(home, architecture, below, plan)


def test_a_release_that_failed_is_known_and_no_other(tmp_path: Path) -> None:
    memory(tmp_path).keep({"slow": "1.0"}, SAID)
    memory(tmp_path).keep({"other": "2.0"}, SAID)
    there = {"slow": "1.0", "other": "2.1", "six": "1.0"}
    assert memory(tmp_path).known(there) == {"slow": SAID}
    assert memory(tmp_path / "elsewhere").known(there) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "arm64"},
        {"below": replace(BELOW, labels={ROOT: "other"})},
        {"below": replace(BELOW, labels={})},
        {"plan": replace(PLAN, python="3.8")},
        {"plan": replace(PLAN, debian=())},
    ],
)
def test_what_determines_it_is_part_of_it(tmp_path: Path, change: dict[str, object]) -> None:
    memory(tmp_path).keep({"slow": "1.0"}, SAID)
    assert memory(tmp_path, **change).known({"slow": "1.0"}) == {}  # type: ignore[arg-type]


def test_neither_date_nor_project_are(tmp_path: Path) -> None:
    memory(tmp_path).keep({"slow": "1.0"}, SAID)
    other = replace(PLAN, as_of="2022-01-01T00:00:00Z", project="other")
    below = replace(BELOW, id="sha256:2")
    assert memory(tmp_path, plan=other, below=below).known({"slow": "1.0"}) == {"slow": SAID}


def test_what_was_not_the_builds_own_fault_is_tried_again(tmp_path: Path) -> None:
    memory(tmp_path).keep({"slow": "1.0"}, "Failed to download and build `slow==1.0`")
    assert memory(tmp_path).known({"slow": "1.0"}) == {}


def test_it_is_tried_again_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory(tmp_path).keep({"slow": "1.0"}, SAID)
    now_s = unbuildable.time.time()
    monkeypatch.setattr(unbuildable.time, "time", lambda: now_s + AGE_S + 1)
    assert memory(tmp_path).known({"slow": "1.0"}) == {}


def test_what_cannot_be_read_is_nothing(tmp_path: Path) -> None:
    memory(tmp_path).keep({"slow": "1.0"}, SAID)
    for file in (tmp_path / "unbuildable").iterdir():
        file.write_text("{half", encoding="utf-8")
    assert memory(tmp_path).known({"slow": "1.0"}) == {}
    memory(tmp_path).keep({"slow": "1.0"}, SAID)
    assert memory(tmp_path).known({"slow": "1.0"}) == {"slow": SAID}
