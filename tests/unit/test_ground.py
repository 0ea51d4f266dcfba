"""What determines an environment layer, and what does not."""

from dataclasses import replace
from pathlib import Path

import pytest

from tools.workspace import labels as label
from tools.workspace.engine import Image
from tools.workspace.packages.environment import build_tools
from tools.workspace.packages.ground import DEBIAN, PINS, TOOLS, Ground, Wish
from tools.workspace.packages.resolution import Resolution, find_resolution, keep_resolution


def image(**labels: str) -> Image:
    return Image("sha256:1", {label.KEY: "base", **labels}, 1, ("swebench-lite:py3.9",))


GROUND = Ground(image(), "3.9", frozenset())
WISH = Wish(GROUND, ("pytest==7.0", "six==1.16"))


def test_equal_lists_share_a_layer_whoever_asked() -> None:
    assert replace(WISH, subject="other").key == WISH.key
    assert WISH.tag == f"agent_runner/env:py3.9-{WISH.key}"


@pytest.mark.parametrize(
    "other",
    [
        replace(WISH, pins=("pytest==7.1", "six==1.16")),
        replace(WISH, variables=("A=1",)),
        replace(WISH, ground=replace(GROUND, python="3.8")),
        replace(WISH, ground=replace(GROUND, debian=frozenset({"gcc"}))),
        replace(WISH, ground=replace(GROUND, below=image(**{label.KEY: "other"}))),
    ],
)
def test_whatever_determines_a_layer_changes_its_key(other: Wish) -> None:
    assert other.key != WISH.key


def test_a_layer_below_may_have_the_tools_already() -> None:
    tools = Wish(GROUND, build_tools("3.9"))
    above = image(**tools.labels(0))
    assert not GROUND.is_below
    assert Ground(above, "3.9", frozenset()).is_below
    assert not Ground(above, "3.9", frozenset({"gcc"})).is_below
    assert not Ground(above, "3.8", frozenset()).is_below
    assert not Ground(image(**{TOOLS: "an older recipe"}), "3.9", frozenset()).is_below


def test_debian_packages_add_up_over_layers() -> None:
    below = image(**Wish(replace(GROUND, debian=frozenset({"gcc"})), ()).labels(0))
    both = Ground(below, "3.9", frozenset({"gcc", "make"}))
    assert both.missing == {"make"}
    assert Wish(both, ()).labels(1)[DEBIAN] == "gcc make"
    assert Wish(both, ("a==1", "b==2")).labels(1)[PINS] == "a==1 b==2"


def test_a_resolution_is_found_again_and_a_broken_one_is_none(tmp_path: Path) -> None:
    made = Resolution(pins=("a==1",), debian=("gcc",), skipped=("b: why",))
    assert find_resolution(tmp_path, "k") is None
    keep_resolution(tmp_path, "k", made)
    assert find_resolution(tmp_path, "k") == made
    assert made.versions == {"a": "1"}
    [path] = (tmp_path / "resolutions").iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    assert find_resolution(tmp_path, "k") is None
    path.write_bytes(b"\xff")
    assert find_resolution(tmp_path, "k") is None
