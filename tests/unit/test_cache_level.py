"""What stays of the layers after a run, told with an engine that only keeps a list."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent_runner.config import CacheLevel
from agent_runner.images.cache_level import layers_kept
from agent_runner.observer import Observer
from tools.workspace import labels as label
from tools.workspace.engine import Engine, Image
from tools.workspace.layers.in_use import InUse

STACK = (
    "a/system:s", "swebench-lite:py3.9", "a/env:tools", "a/repository:r", "a/env:e", "a/instance:i",
)  # fmt: skip
KINDS = ("system", "base", "environment", "repository", "environment", "instance")


class Shelf:
    """Stands for an engine: images by tag, each on the one before it."""

    def __init__(self, count: int) -> None:
        self.there = dict(zip(STACK[:count], KINDS, strict=False))
        self.lists = 0
        images = SimpleNamespace(history=self._history, delete=self._delete, list=self._list)
        self.docker = SimpleNamespace(images=images)

    def build(self) -> None:
        self.there = dict(zip(STACK, KINDS, strict=True))

    async def image(self, tag: str) -> Image | None:
        if tag not in self.there:
            return None
        return Image(tag, {label.LAYER: self.there[tag]}, 1, (tag,))

    async def images_with(self, _: str) -> list[Image]:
        self.lists += 1
        return [Image(tag, {label.LAYER: kind}, 1, (tag,)) for tag, kind in self.there.items()]

    async def _history(self, _: str) -> list[dict[str, Any]]:
        return [{"Tags": [tag]} for tag in reversed(STACK) if tag in self.there]

    async def _delete(self, tag: str) -> None:
        del self.there[tag]

    async def _list(self, **_: object) -> list[dict[str, str]]:
        return [{"ParentId": below} for below, above in pairwise(STACK) if above in self.there]


async def run(shelf: Shelf, level: CacheLevel, home: Path) -> None:
    engine = cast(Engine, shelf)
    async with layers_kept(engine, level, home, Observer(quiet=True)) as layers:
        # The base and what it stands on come before all else.
        shelf.there |= dict(zip(STACK[:2], KINDS[:2], strict=True))
        await layers.hold(STACK[-1])
        if STACK[-1] not in shelf.there:
            async with layers.building(STACK[-1]):
                shelf.build()


@pytest.mark.parametrize(
    ("level", "stays"), [("none", 0), ("base", 2), ("env", 5), ("instance", 6)]
)
async def test_what_a_run_built_and_does_not_keep_goes(
    level: CacheLevel, stays: int, tmp_path: Path
) -> None:
    shelf = Shelf(0)
    await run(shelf, level, tmp_path)
    assert tuple(shelf.there) == STACK[:stays]


@pytest.mark.parametrize("before", [1, 2, 4, 5, 6])
async def test_what_was_there_before_stays(before: int, tmp_path: Path) -> None:
    shelf = Shelf(before)
    await run(shelf, "none", tmp_path)
    assert tuple(shelf.there) == STACK[:before]


async def test_what_another_run_holds_stays_and_the_last_one_takes_it_along(tmp_path: Path) -> None:
    shelf = Shelf(2)
    with InUse(tmp_path) as other:
        await other.hold(STACK[-1])
        await run(shelf, "env", tmp_path)
        assert STACK[-1] in shelf.there
    await run(shelf, "env", tmp_path)
    assert tuple(shelf.there) == STACK[:5]


async def test_nothing_goes_below_what_stays_while_somebody_builds(tmp_path: Path) -> None:
    shelf = Shelf(2)
    with InUse(tmp_path) as other:
        await other.hold("building")
        await run(shelf, "base", tmp_path)
        assert tuple(shelf.there) == STACK[:5], "an environment went that another may stand on"


async def test_a_run_that_keeps_a_layer_keeps_it_from_passing(tmp_path: Path) -> None:
    shelf = Shelf(2)
    with InUse(tmp_path) as other:
        await other.hold(STACK[-1])
        await run(shelf, "env", tmp_path)
    await run(shelf, "instance", tmp_path)
    await run(shelf, "env", tmp_path)
    assert tuple(shelf.there) == STACK


async def test_while_a_run_builds_nobody_removes_what_it_may_stand_on(tmp_path: Path) -> None:
    shelf = Shelf(5)
    engine = cast(Engine, shelf)
    async with (
        layers_kept(engine, "instance", tmp_path, Observer(quiet=True)) as layers,
        layers.building(STACK[-1]),
    ):
        with InUse(tmp_path) as other:
            assert not await other.remove(engine, STACK[3], below=True)
        shelf.build()
    assert tuple(shelf.there) == STACK


async def test_an_engine_need_not_list_its_images_where_none_is_to_go(tmp_path: Path) -> None:
    shelf = Shelf(len(STACK))
    await run(shelf, "instance", tmp_path)
    assert shelf.lists == 0
