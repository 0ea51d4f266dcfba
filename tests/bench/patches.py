"""The patch corpus through the engine and other tools, and how long a patch of 20 files takes."""

import subprocess
import sys
import time
from collections.abc import Sequence

from agent_runner.places import home
from tests.bench.process import NotMeasured, timed
from tests.bench.row import Count, Row, by_turns
from tests.bench.setting import Setting
from tests.corpora.patches.compare import ENGINE, LEAST, TOOLS, compare
from tests.corpora.patches.compare import Count as Tally
from tests.corpora.patches.corpus import corpus
from tests.corpora.patches.sets import from_packages
from tools.patching import PatchLimits
from tools.swe_apply_patch import SweApplyPatch
from tools.workspace.engine import Engine
from tools.workspace.spec import PROJECT, WorkspaceSpec
from tools.workspace.start import running
from tools.workspace.workspace import Workspace

SEED = 1
EACH = 40
FILES = 20
LINES = 200
ROUNDS = 7
MUST_S = 0.150


async def measure(setting: Setting) -> list[Row | Count]:
    """What comes out of each kind of damage, tool by tool, and the time of a patch."""
    try:
        pools = from_packages(home() / "corpora")
    except (subprocess.CalledProcessError, OSError) as error:
        raise NotMeasured(f"the source distributions: {error}") from error
    counts = compare(corpus(pools, SEED, EACH))
    return [
        *_promised(counts),
        *_kinds(counts),
        await _in_container(setting),
        await _alone(setting),
    ]


def _promised(counts: Sequence[Tally]) -> list[Count]:
    recovered = [count for count in counts if count.demand == "recover"]
    refused = [count for count in counts if count.demand == "refuse"]
    return [
        Count(
            what="patch corpus: right, of the worst kind that can be recovered",
            unit="%",
            at_least=100 * LEAST,
            measured=min(_percent(count.right, count.n) for count in _of(ENGINE, recovered)),
            beside={
                tool: min(_percent(count.right, count.n) for count in _of(tool, recovered))
                for tool in TOOLS
                if tool != ENGINE
            },
        ),
        Count(
            what="patch corpus: refused, of what must be",
            unit="%",
            at_least=100,
            measured=_share(ENGINE, refused),
            beside={tool: _share(tool, refused) for tool in TOOLS if tool != ENGINE},
        ),
        Count(
            what=f"patch corpus: wrong or half a tree, of {sum(c.n for c in _of(ENGINE, counts))}",
            unit="",
            at_most=0,
            measured=_wrong(ENGINE, counts),
            beside={tool: _wrong(tool, counts) for tool in TOOLS if tool != ENGINE},
        ),
    ]


def _kinds(counts: Sequence[Tally]) -> list[Count]:
    """Right trees of each kind, for reading; refused ones of those that must be."""
    rows = []
    for ours in _of(ENGINE, counts):
        wanted = "refused" if ours.demand == "refuse" else "right"
        same = [count for count in counts if count.kind == ours.kind and count.tool != ENGINE]
        wrong = {f"{count.tool}, wrong": count.wrong + count.half for count in same}
        rows.append(
            Count(
                what=f"{ours.kind}: {wanted}, of {ours.n}",
                unit="",
                measured=getattr(ours, wanted),
                beside={**{count.tool: getattr(count, wanted) for count in same}, **wrong},
            )
        )
    return rows


def _of(tool: str, counts: Sequence[Tally]) -> list[Tally]:
    return [count for count in counts if count.tool == tool]


def _wrong(tool: str, counts: Sequence[Tally]) -> int:
    return sum(count.wrong + count.half for count in _of(tool, counts))


def _share(tool: str, counts: Sequence[Tally]) -> float:
    mine = _of(tool, counts)
    return _percent(sum(count.refused for count in mine), sum(count.n for count in mine))


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1)


def _files() -> dict[str, bytes]:
    return {
        f"many/f{number}.py": b"".join(b"line %d of %d\n" % (at, number) for at in range(LINES))
        for number in range(FILES)
    }


def _patch(old: str, new: str) -> str:
    """Each file's line 100 from one word to another."""
    rows = []
    for number in range(FILES):
        rows.append(f"--- a/many/f{number}.py\n+++ b/many/f{number}.py\n@@ -98,7 +98,7 @@\n")
        rows += [f" line {at} of {number}\n" for at in (97, 98, 99)]
        rows += [f"-{old or f'line 100 of {number}'}\n+{new or f'line 100 of {number}'}\n"]
        rows += [f" line {at} of {number}\n" for at in (101, 102, 103)]
    return "".join(rows)


async def _in_container(setting: Setting) -> Row:
    async with Engine() as engine, running(engine, setting.spec()) as container:
        workspace = Workspace(container, WorkspaceSpec("", "", "", ""), engine)
        await container.put({f"{PROJECT}/{path}": data for path, data in _files().items()})
        tool = SweApplyPatch(workspace, PatchLimits())
        versions = iter(range(10**6))
        last = [""]

        async def apply() -> float:
            new = f"version {next(versions)}"
            patch = _patch(last[0], new).encode()
            began_s = time.monotonic()
            await tool.apply(patch)
            spent_s = time.monotonic() - began_s
            last[0] = new
            return spent_s

        (ours,) = await by_turns(ROUNDS, {"swe_apply_patch": apply})
    return Row(what=f"a patch of {FILES} files, in a container", must_s=MUST_S, measured=ours)


async def _alone(setting: Setting) -> Row:
    """`python -m tools.patching` less the start of the interpreter with the same imports."""
    root = setting.scratch / "patched"
    for path, data in _files().items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    diff = setting.scratch / "patch.diff"
    there = [""]

    async def apply() -> float:
        new = "" if there[0] else "changed"
        diff.write_text(_patch(there[0], new), encoding="utf-8")
        there[0] = new
        return await timed(sys.executable, "-m", "tools.patching", str(root), str(diff))

    async def start() -> float:
        return await timed(sys.executable, "-c", "import tools.patching.__main__")

    whole, started = await by_turns(ROUNDS, {"with its start": apply, "its start": start})
    return Row(
        what=f"a patch of {FILES} files, `python -m tools.patching` less its start",
        must_s=MUST_S,
        measured=whole.minus(started, "less its start"),
        parts=(whole, started),
    )
