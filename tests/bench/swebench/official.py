"""The official harness, as its own command, on images that are tagged as it expects."""

import re
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from tests.bench.process import PYTHON, NotMeasured, shown, started
from tests.bench.swebench.graded import Graded, Group, Sitting, TestsStatus

HARNESS = "swebench.harness.run_evaluation"
# It grades no empty patch; its own way of running the base is this argument of `run_instances`.
EMPTY = f"""
import sys
from {HARNESS} import load_instances, run_instances
data, run_id, workers, timeout_s, *ids = sys.argv[1:]
rows = load_instances(data, "test", ids, None)
empty = {{"model_name_or_path": "empty", "model_patch": ""}}
predictions = {{name: {{"instance_id": name, **empty}} for name in ids}}
run_instances(predictions, rows, int(workers), run_id, int(timeout_s), skip_patch=True)
"""
STAMP = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) - INFO - (.*)$", re.MULTILINE)
RUNTIME = re.compile(r"Test runtime: ([\d_.]+) seconds")


async def grade(
    group: Group, data: Path, out: Path, *, workers: int, images: Mapping[str, str]
) -> Sitting:
    """Grades a group anew.

    Args:
        out: a directory of its own for its logs.
        images: the id of each instance's image.

    Raises:
        NotMeasured: the harness failed as a whole.
    """
    shutil.rmtree(out, ignore_errors=True)
    predictions = group.write(out)
    run_id = f"bench-{group.key(images)}"
    if group.name == "empty":
        argv = (
            PYTHON, "-c", EMPTY, str(data), run_id, str(workers), str(group.timeout_s),
            *group.patches,
        )  # fmt: skip
    else:
        argv = (
            PYTHON, "-m", HARNESS, "--dataset_name", str(data), "--predictions_path",
            str(predictions), "--max_workers", str(workers), "--timeout", str(group.timeout_s),
            "--run_id", run_id,
        )  # fmt: skip
    began_s = time.monotonic()
    await _run(argv, out)
    wall_s = time.monotonic() - began_s
    logs = out / "logs" / "run_evaluation" / run_id / group.slug
    graded = tuple(_graded(logs / name, name) for name in group.patches)
    return Sitting(key=group.key(images), wall_s=wall_s, graded=graded)


async def _run(argv: Sequence[str], cwd: Path) -> None:
    async with started(tuple(argv), cwd=cwd) as child:
        said, _ = await child.process.communicate()
    if child.process.returncode != 0:
        raise NotMeasured(f"the official harness: {shown(said)}")


def _graded(logs: Path, name: str) -> Graded:
    """Reads what the harness left of one instance; without a report it did not resolve it."""
    log = (logs / "run_instance.log").read_text(encoding="utf-8", errors="replace")
    lines = STAMP.findall(log)
    began = [when for when, text in lines if text.startswith("Creating container for")]
    if not began or "started: " not in log:
        raise NotMeasured(
            f"the official harness made no container for {name}: {shown(log.encode())}"
        )
    ran = RUNTIME.search(log)
    report = logs / "report.json"
    found = {}
    if report.exists():
        found = TypeAdapter(dict[str, dict[str, object]]).validate_json(report.read_bytes())[name]
    return Graded(
        instance_id=name,
        resolved=bool(found.get("resolved")),
        tests_status=read_status(found.get("tests_status")),
        wall_s=_seconds(lines[-1][0]) - _seconds(began[0]),
        script_s=float(ran[1].replace("_", "")) if ran else 0.0,
    )


def read_status(status: object) -> TestsStatus | None:
    """The part of a report that says what became of each test."""
    if status is None:
        return None
    return TypeAdapter(dict[str, dict[str, tuple[str, ...]]]).validate_python(status)


def _seconds(stamp: str) -> float:
    return datetime.strptime(f"{stamp}000+0000", "%Y-%m-%d %H:%M:%S,%f%z").timestamp()
