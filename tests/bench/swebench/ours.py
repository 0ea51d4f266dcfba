"""Our own `grade`, as its own command, with every verdict made anew."""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from agent_runner.grading.saved import read_saved
from tests.bench.process import AGENT_RUNNER, NotMeasured, shown, started
from tests.bench.swebench.graded import Graded, Group, Sitting
from tests.bench.swebench.official import read_status
from tools.workspace import labels
from tools.workspace.engine import Engine

ENDINGS = {0, 3}


async def grade(
    group: Group, data: Path, out: Path, *,
    workers: int, images: Mapping[str, str], env: Mapping[str, str], sets: Sequence[str] = (),
) -> Sitting:  # fmt: skip
    """Grades a group anew.

    Args:
        out: a directory of its own.
        env: how the repositories are found.
        sets: settings other than the default ones.

    Raises:
        NotMeasured: the command failed, or an instance has no verdict.
    """
    shutil.rmtree(out, ignore_errors=True)
    predictions = (
        str(group.write(out.parent)) if group.name not in {"gold", "empty"} else group.name
    )
    argv = [
        *AGENT_RUNNER, "grade", "--dataset", str(data), "--predictions", predictions,
        "--instance-ids", ",".join(group.patches), "--workers", str(workers), "--out", str(out),
        "--fresh", "--no-controls", "--set", f"limits.grade_s={group.timeout_s}",
    ]  # fmt: skip
    for each in sets:
        argv += ["--set", each]
    began_s = time.monotonic()
    async with started(tuple(argv), env) as child:
        said, _ = await child.process.communicate()
    wall_s = time.monotonic() - began_s
    if child.process.returncode not in ENDINGS:
        raise NotMeasured(f"grade {group.name}: {shown(said)}")
    graded = tuple(_graded(out / name, name) for name in group.patches)
    await _check_images(out, images)
    return Sitting(key=group.key(images), wall_s=wall_s, graded=graded)


async def _check_images(out: Path, images: Mapping[str, str]) -> None:
    """Both graders must have used the same layers."""
    used = {name: _layer_key(out / name) for name in images if (out / name).is_dir()}
    async with Engine() as engine:
        for name, key in used.items():
            image = await engine.image(images[name])
            if image is None or image.labels.get(labels.KEY) != key:
                raise NotMeasured(f"{name} was graded in layers {key}, not in {images[name]}")


def _layer_key(directory: Path) -> object:
    found = TypeAdapter(dict[str, object]).validate_json((directory / "grade.json").read_bytes())
    return found["layer_key"]


def _graded(directory: Path, name: str) -> Graded:
    path = directory / "report.json"
    if not path.exists():
        raise NotMeasured(f"{name} has no verdict: see {directory}")
    report = TypeAdapter(dict[str, dict[str, object]]).validate_json(path.read_bytes())[name]
    saved = read_saved(directory)
    # The first run is the official one; a second is made of a lone failure, and its time is ours.
    return Graded(
        instance_id=name,
        resolved=saved.grade.official,
        tests_status=read_status(report.get("tests_status")),
        wall_s=sum(run.wall_s for run in saved.runs),
        script_s=sum(run.script_s for run in saved.runs),
    )
