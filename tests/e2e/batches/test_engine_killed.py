"""An engine that is killed and started again during a batch: no agent is blamed for it."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docker.private_engine import PrivateEngine, private_engine
from tests.e2e.batches.small_batch import SmallBatch, kept, result_of, results

if TYPE_CHECKING:
    from tools.workspace.layers.base_image import Base

pytestmark = pytest.mark.e2e

DISK_MB = 6000
KILLS = 3
TASKS = 9
LIMIT_S = 300.0


@pytest.fixture
def engine() -> Iterator[PrivateEngine]:
    """One that may be killed; it has no network, so its images come from the other one."""
    # A socket's path may have 108 bytes, and that of containerd is long already.
    with (
        tempfile.TemporaryDirectory(prefix="engine-") as directory,
        private_engine(Path(directory), DISK_MB) as made,
    ):
        yield made


def test_every_episode_ends_as_if_the_engine_had_not_been_killed(
    engine: PrivateEngine, base: "Base", home: Path, tmp_path: Path
) -> None:
    batch = SmallBatch.make(tmp_path / "small", home, layers=1, tasks=TASKS, at_once=3)
    calm, out = tmp_path / "calm", tmp_path / "out"
    assert batch.run(str(batch.yaml), "--out", str(calm)).returncode == 0
    instance = result_of(calm, results(calm)[0]["directory"]).provenance.image_digest
    copy([*tags(str(instance)), *tags(base.image.id)], engine.host)
    env = {"DOCKER_HOST": engine.host}
    process = batch.start(str(batch.yaml), "--out", str(out), env=env, err=tmp_path / "err")
    killed = 0
    deadline_s = time.monotonic() + LIMIT_S
    while killed < KILLS and time.monotonic() < deadline_s and process.poll() is None:
        if at_work(out) and len(results(out)) >= killed:
            engine.kill()
            time.sleep(1)
            engine.start_again()
            killed += 1
        time.sleep(0.2)
    assert process.wait(LIMIT_S) == 0, (tmp_path / "err").read_text(encoding="utf-8")
    assert killed == KILLS
    assert kept(out) == kept(calm)
    tried = (out / "tries.jsonl").read_text(encoding="utf-8")
    assert '"infra_error"' in tried
    assert '"internal"' not in tried


def at_work(out: Path) -> bool:
    """Whether an agent whose episode is not over has had a turn."""
    return any(
        path.stat().st_size > 3000 and not (path.parent / "result.json").exists()
        for path in out.glob("episodes/*/trajectory.jsonl")
    )


def tags(image: str) -> list[str]:
    """The tags of an image, by which it is found elsewhere."""
    shown = subprocess.run(
        ["docker", "image", "inspect", "-f", "{{join .RepoTags \" \"}}", image],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return shown.stdout.split()


def copy(images: list[str], host: str) -> None:
    """Brings images of the default engine to another one."""
    with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saved:
        subprocess.run(["docker", "-H", host, "load", "-q"], stdin=saved.stdout, check=True)
