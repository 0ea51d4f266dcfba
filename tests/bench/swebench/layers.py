"""How long the layers of an instance take to make, and what they weigh."""

import json
import re
import time
from collections import defaultdict
from collections.abc import Sequence

from agent_runner.benchmarks.swebench.row import Row as DataRow
from agent_runner.places import home
from tests.bench.process import AGENT_RUNNER, NotMeasured, shown, started, timed
from tests.bench.row import Count, Record, Row, Series
from tests.bench.say import say
from tests.bench.swebench.journal import kept
from tests.bench.swebench.sizes import Chain, bytes_own, bytes_together, chain_of, chains
from tests.bench.swebench.verdicts import Work
from tools.workspace.disk_usage import size_bytes
from tools.workspace.engine import Engine

MB = 1_000_000
BASE_S = 600.0
PRUNE = "`agent_runner images prune --level repository`"
FIRST_P50_S, FIRST_P90_S, FURTHER_S, FURTHER_MB = 12.0, 40.0, 4.0, 25.0
TOGETHER, REPOSITORIES, TOGETHER_MB = 24, 6, 6000.0


class Built(Record):
    """The layers of one instance.

    Attributes:
        is_further: whether its repository and version had an instance already.
        wall_s: of the command that made them; its start takes half a second of it.
        own_bytes: beside the instances that were there.
        chain: its layers, lowest first; somebody may remove the image before the end.
    """

    instance_id: str
    image: str
    is_further: bool
    wall_s: float
    own_bytes: int
    chain: Chain


async def measure(work: Work) -> list[Row | Count]:
    """Builds instance after instance; what earlier runs of the product left must be gone."""
    await _make_ground(work)
    built: list[Built] = []
    seen: set[tuple[str, str]] = set()
    for row in _in_order(work.rows.rows):
        version = (row.repo, row.version)
        built.append(await _built(work, row, version in seen, built))
        seen.add(version)
    return [*_times(built), *await _weights(work, built)]


async def _make_ground(work: Work) -> None:
    """Mirrors and base images: an instance is made from these."""
    for row in _in_order(work.rows.rows):
        data = ("--dataset", str(work.rows.data))
        explain = (*AGENT_RUNNER, "images", "explain", row.instance_id, *data, "--json")
        async with started(explain, work.env) as child:
            said, _ = await child.process.communicate()
        if child.process.returncode != 0:
            raise NotMeasured(f"images explain {row.instance_id}: {shown(said)}")
        python = json.loads(said.decode().splitlines()[-1])["missing_base"]
        if python:
            say(f"base image for Python {python}")
            argv = (*AGENT_RUNNER, "images", "build", "--python", python)
            await timed(*argv, env=work.env, limit_s=BASE_S)


def _in_order(rows: Sequence[DataRow]) -> list[DataRow]:
    return sorted(rows, key=lambda row: (row.repo, row.version, row.instance_id))


async def _built(work: Work, row: DataRow, is_further: bool, before: Sequence[Built]) -> Built:
    async def build() -> Built:
        say(f"layers of {row.instance_id}")
        wall_s = await _build(work, row)
        async with Engine() as engine:
            known = await chains(engine)
            chain = await chain_of(engine, row.image)
            own_bytes = bytes_own(chain, [one.chain for one in before], known)
        return Built(
            instance_id=row.instance_id, image=row.image, is_further=is_further, wall_s=wall_s,
            own_bytes=own_bytes, chain=chain,
        )  # fmt: skip

    path = work.out / "layers" / f"{row.instance_id}.json"
    return await kept(path, Built, lambda found: found.is_further == is_further, build)


async def _build(work: Work, row: DataRow) -> float:
    """Seconds of the command that makes them; it must have found none of the instance itself."""
    argv = (
        *AGENT_RUNNER, "images", "build", "--dataset", str(work.rows.data),
        "--instance-ids", row.instance_id, "--official-tags", "--workers", "1", "--json",
    )  # fmt: skip
    began_s = time.monotonic()
    async with started(argv, work.env) as child:
        said, _ = await child.process.communicate()
    wall_s = time.monotonic() - began_s
    found = re.search(r'^\{"tasks".*$', said.decode(errors="replace"), re.MULTILINE)
    if found is None or child.process.returncode != 0:
        raise NotMeasured(f"images build: {shown(said)}")
    if json.loads(found[0])["tasks"][0]["state"] != "built":
        raise NotMeasured(f"the layers of {row.instance_id} are there: {PRUNE} removes them")
    return wall_s


def _times(built: Sequence[Built]) -> list[Row | Count]:
    first = [one for one in built if not one.is_further]
    further = [one for one in built if one.is_further]
    series = Series(name="images build", samples_s=tuple(one.wall_s for one in first))
    what = f"instance layer from base image and mirror, first of its version (n={len(first)})"
    rows: list[Row | Count] = [
        Row(what=what, must_s=FIRST_P50_S, measured=series),
        Row(what=what, must_s=FIRST_P90_S, measured=series, statistic="p90"),
    ]
    if further:
        again = Series(name="images build", samples_s=tuple(one.wall_s for one in further))
        own = sorted(one.own_bytes / MB for one in further)
        name = f"further instance of the same repository and version (n={len(further)})"
        rows += [
            Row(what=name, must_s=FURTHER_S, measured=again),
            Count(
                what=f"{name}: disk of its own, median",
                unit="MB",
                measured=round(own[len(own) // 2], 1),
                at_most=FURTHER_MB,
                beside={"most": round(own[-1], 1)},
            ),
        ]
    return rows


async def _weights(work: Work, built: Sequence[Built]) -> list[Count]:
    """As many instances of as many repositories as the issue asks for, or all there are."""
    by_repo: dict[str, list[str]] = defaultdict(list)
    for row in _in_order(work.rows.rows):
        by_repo[row.repo].append(row.image)
    largest = sorted(by_repo.values(), key=len, reverse=True)[:REPOSITORIES]
    images = [image for group in largest for image in group][:TOGETHER]
    async with Engine() as engine:
        known = await chains(engine)
    made = {one.image: one.chain for one in built}
    together = [made[image] for image in images if made.get(image) in known]
    parts = {"images": bytes_together(together, known) / MB}
    parts |= {name: size_bytes(home() / name) / MB for name in ("uv", "mirrors")}
    return [
        Count(
            what=f"{len(together)} instances of {len(largest)} repositories with bases and caches",
            unit="MB",
            measured=round(sum(parts.values())),
            at_most=TOGETHER_MB,
            beside={name: round(size_mb) for name, size_mb in parts.items()},
        )
    ]
