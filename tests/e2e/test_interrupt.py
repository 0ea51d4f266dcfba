"""Ctrl-C and SIGTERM: quick, with everything so far on disk, and no container left."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.e2e.conftest import DEMO, ROOT, environment, ours

if TYPE_CHECKING:
    from tools.workspace.layers.base_image import Base

pytestmark = pytest.mark.e2e

LIMIT_S = 5.0


def slow_script(tmp_path: Path) -> Path:
    """The demo's script up to the good patch, then a command that takes a minute."""
    script = yaml.safe_load(
        (ROOT / "seeds" / "scripts" / "tidyframe__dedupe-keeps-last.yaml").read_text()
    )
    waiting = {"tool": "docker_sh", "arguments": {"command": "echo asleep; sleep 60"}}
    script["turns"][6]["reply"] = {"calls": [waiting]}
    path = tmp_path / "script.yaml"
    path.write_text(yaml.safe_dump(script), encoding="utf-8")
    return path


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_a_result_and_nothing_else(
    home: Path, base: "Base", tmp_path: Path, signal_: signal.Signals
) -> None:
    out = tmp_path / "run"
    args = ["--config", str(DEMO), "--recording", str(slow_script(tmp_path)), "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "agent_runner", *args],
        cwd=ROOT, env=environment(home), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    trajectory = out / "trajectory.jsonl"
    for _ in range(1200):
        if trajectory.exists() and '"turn": 6' in trajectory.read_text(encoding="utf-8"):
            break
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    time.sleep(0.7)
    began_s = time.monotonic()
    process.send_signal(signal_)
    stdout, stderr = process.communicate(timeout=30)
    assert time.monotonic() - began_s < LIMIT_S
    assert process.returncode == 130, stderr
    result = json.loads(stdout.splitlines()[-1])
    assert result["status"] == "interrupted"
    assert result["error"] is None
    assert result["grade"] is None
    assert result["turns"] == 7, "the reply whose command was cut short is a turn"
    assert 'keep="first"' in (out / "patch.diff").read_text(encoding="utf-8")
    lines = trajectory.read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1]) == {"type": "end", "termination": None}
    assert ours(out) == []
