"""How near a batch with real containers comes to what model and containers alone would take."""

import os
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import JsonValue

from agent_runner.batch.directory import BatchDir
from agent_runner.batch.entry import Entry
from tests.bench.batches.container_cpu import ContainerCpu
from tests.bench.batches.endpoint import DONE, call, endpoint
from tests.bench.process import AGENT_RUNNER, NotMeasured, timed
from tests.bench.row import Count
from tests.bench.setting import Setting

TASKS = (
    "tidyframe__dedupe-keeps-last", "gridload__dst-day-length", "spanset__merge-nested",
    "rankeval__nan-weights",
)  # fmt: skip
ATTEMPTS = 16
# The second is what `configs/local.yaml` asks for.
AT_ONCE = (4, 8)
LATENCY_S = 1.0
MEMORY_MB = 512
LIMIT_S = 900.0
LEAST = 0.85
NEW_TEST = """--- /dev/null
+++ b/test_small_thing.py
@@ -0,0 +1,2 @@
+def test_small_thing():
+    assert sum([1, 2]) == 3
"""
TURNS: tuple[JsonValue, ...] = (
    call("swe_clone"),
    call("docker_sh", command="cat pyproject.toml"),
    call("docker_sh", command="ls -R src | head -50"),
    call("docker_sh", command="git log --oneline | head -5; git status --short"),
    call("docker_sh", command="grep -rn 'def ' src | head -40"),
    call("swe_apply_patch", patch=NEW_TEST),
    call("swe_pytest", paths=["test_small_thing.py"]),
    call("docker_sh", command="wc -l $(git ls-files src)"),
    call("docker_sh", command="git diff --stat"),
    DONE,
)


async def measure(setting: Setting) -> list[Count]:
    """Whole processes; before them, unmeasured, one episode of each task: layers and controls."""
    place = setting.scratch / "throughput"
    place.mkdir()
    async with endpoint(place, TURNS, LATENCY_S) as url:
        await _batch(place, "first", url, 1, AT_ONCE[0])
        return [await _measured(place, url, at_once) for at_once in AT_ONCE]


async def _measured(place: Path, url: str, at_once: int) -> Count:
    name = f"measured-{at_once}"
    async with ContainerCpu(place / name).counting() as used:
        wall_s = await _batch(place, name, url, ATTEMPTS, at_once)
    entries = BatchDir(place / name).results.read()
    _check(entries)
    model_s = len(entries) * len(TURNS) * LATENCY_S / at_once
    containers_s = used.cpu_s / (os.cpu_count() or 1)
    ideal_s = max(model_s, containers_s)
    return Count(
        what=f"{len(entries)} episodes of {len(TURNS)} turns on {LATENCY_S:g} s replies, "
        f"{at_once} at once: of the ideal speed",
        unit="",
        measured=round(ideal_s / wall_s, 3),
        at_least=LEAST,
        beside={
            "wall s": round(wall_s, 1),
            "model alone s": round(model_s, 1),
            "containers' CPU over cores s": round(containers_s, 1),
            "containers": used.containers,
        },
    )


def _check(entries: Sequence[Entry]) -> None:
    """Raises where the batch did not do what is measured."""
    whole = [entry for entry in entries if entry.counts and entry.turns == len(TURNS)]
    if len(whole) != len(TASKS) * ATTEMPTS:
        raise NotMeasured(f"{len(whole)} episodes of {len(TASKS) * ATTEMPTS} came through")


async def _batch(place: Path, name: str, url: str, attempts: int, at_once: int) -> float:
    """Seconds of the whole process."""
    config: JsonValue = {
        "tasks": {"source": {"type": "seeds"}, "include": list(TASKS)},
        "attempts": attempts,
        "model": "fake",
        "base_url": url,
        "limits": {"memory_mb": MEMORY_MB},
        "executor": {"type": "local", "concurrency": at_once},
    }
    path = place / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    argv = (*AGENT_RUNNER, "batch", str(path), "--out", str(place / name))
    return await timed(*argv, limit_s=LIMIT_S)
