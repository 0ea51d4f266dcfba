"""A real instance made from releases on PyPI: its layers, and its grading beside the official."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent_runner import places
from tests.bench.own_layers import own_layers
from tests.bench.process import AGENT_RUNNER, timed
from tests.bench.row import Count, Row, Series
from tests.bench.setting import Setting
from tests.bench.swebench.graded import Group
from tests.bench.swebench.layers import FIRST_P50_S, FURTHER_MB, FURTHER_S, MB
from tests.bench.swebench.rows import Rows
from tests.bench.swebench.sizes import bytes_own, chain_of, chains
from tests.bench.swebench.verdicts import Work, compare, overheads, same
from tests.corpora.instances.damage import without_hunk
from tests.corpora.instances.released import INSTANCE_ID, Instance, make_instance
from tools.workspace.engine import Engine

HOUR_S = 3600
LIMIT_S = 600.0
# The third hunk mends two of the three failing tests.
PARTIAL = 2


async def measure(setting: Setting) -> list[Row | Count]:
    """In a home of its own, and with layers of its own, which are removed again."""
    place = setting.scratch / "released"
    instance = make_instance(place, places.home() / "corpora", at_s=os.getpid() % HOUR_S)
    data = place / "both.jsonl"
    both = (instance.row, instance.further)
    data.write_text("".join(json.dumps(row) + "\n" for row in both), encoding="utf-8")
    async with own_layers():
        env = _environment(setting, instance)
        rows: list[Row | Count] = [*await _layers(both, data, env)]
        images = {INSTANCE_ID: await _id(instance.row["image"])}
        work = Work(
            Rows.read(instance.dataset, instance.repository.parent),
            place / "graded",
            1,
            images,
            env,
        )
        patch = instance.row["patch"]
        groups = (
            Group("gold", {INSTANCE_ID: patch}),
            Group("partial", {INSTANCE_ID: without_hunk(patch, PARTIAL)}),
        )
        compared = [await compare(work, group) for group in groups]
    return [*rows, same(compared), *overheads(compared)]


def _environment(setting: Setting, instance: Instance) -> dict[str, str]:
    """A home with the user's package cache and init, but no mirror under the package's address."""
    home = setting.scratch / "released-home"
    home.mkdir()
    for name in ("uv", "init"):
        kept = places.home() / name
        kept.mkdir(parents=True, exist_ok=True)
        (home / name).symlink_to(kept)
    return {**instance.env, "AGENT_RUNNER_HOME": str(home)}


async def _layers(
    both: tuple[Mapping[str, Any], ...], data: Path, env: dict[str, str]
) -> list[Row | Count]:
    took_s = []
    for row in both:
        argv = (*AGENT_RUNNER, "images", "build", "--dataset", str(data), "--official-tags")
        one = ("--instance-ids", row["instance_id"])
        took_s.append(await timed(*argv, *one, env=env, limit_s=LIMIT_S))
    async with Engine() as engine:
        first, further = [await chain_of(engine, row["image"]) for row in both]
        own_bytes = bytes_own(further, [first], await chains(engine))
    first_s, further_s = (Series(name="images build", samples_s=(taken,)) for taken in took_s)
    name = "real instance: a further one of the same version"
    return [
        Row(what="real instance: layers from the base image", must_s=FIRST_P50_S, measured=first_s),
        Row(what=name, must_s=FURTHER_S, measured=further_s),
        Count(what=name, unit="MB", measured=round(own_bytes / MB, 1), at_most=FURTHER_MB),
    ]


async def _id(name: str) -> str:
    async with Engine() as engine:
        image = await engine.image(name)
    assert image is not None
    return image.id
