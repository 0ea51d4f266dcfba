"""What the world does to a run in the middle of a command: `infra_error`, and never a verdict."""

import json
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

STARTED_LIMIT_S = 60.0
SLEEPS = {"tool": "docker_sh", "arguments": {"command": "sleep 600", "timeout_s": 4}}


@pytest.mark.parametrize(
    "done", [("rm", "-f"), ("kill",), ("stop", "-t", "0"), ("pause",)], ids=lambda done: done[0]
)
def test_a_container_that_is_taken_away_is_no_failure_of_the_agent(
    home: Path, base: "Base", tmp_path: Path, done: tuple[str, ...]
) -> None:
    script, out = tmp_path / "script.yaml", tmp_path / "run"
    script.write_text(yaml.safe_dump({"turns": [{"reply": {"calls": [SLEEPS]}}]}))
    argv = ["--config", str(DEMO), "--recording", str(script), "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "agent_runner", *argv],
        cwd=ROOT, env=environment(home), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    container = sleeping(out, process)
    subprocess.run(["docker", *done, container], check=True, capture_output=True)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 3, stderr
    result = json.loads(stdout.splitlines()[-1])
    assert result["status"] == "infra_error"
    assert result["error"]["kind"] == "container_lost"
    assert result["grade"] is None
    assert ours(out) == []


def sleeping(out: Path, process: "subprocess.Popen[str]") -> str:
    """The run's container, once the agent's command runs in it."""
    deadline_s = time.monotonic() + STARTED_LIMIT_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, process.communicate()
        for container in ours(out) if out.exists() else []:
            top = ["docker", "top", container]
            listed = subprocess.run(top, capture_output=True, text=True, check=False)
            if "sleep 600" in listed.stdout:
                return container
        time.sleep(0.1)
    raise AssertionError("the agent's command did not start")
