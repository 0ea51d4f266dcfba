"""Whole command lines, as a user types them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent_runner.run_dir import RunDir

if TYPE_CHECKING:
    from tools.workspace.layers.base_image import Base

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "configs" / "demo.yaml"
LIMIT_S = 300


@dataclass(frozen=True)
class Ran:
    """A command line that ended."""

    exit_code: int
    stdout: str
    stderr: str
    out: Path

    @property
    def result(self) -> dict[str, Any]:
        """The compact result: the last line on stdout, and the same as the file."""
        result = json.loads(self.stdout.splitlines()[-1])
        assert result == json.loads((self.out / "result.json").read_text(encoding="utf-8"))
        assert isinstance(result, dict)
        return result

    @property
    def turns(self) -> list[dict[str, Any]]:
        """The turns of the trajectory."""
        text = (self.out / "trajectory.jsonl").read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines()]
        return [line for line in lines if line["type"] == "turn"]


Cli = Callable[..., Ran]


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a command: no key of the person who runs the tests is ever used."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    return {**kept, "AGENT_RUNNER_HOME": str(home), **(extra or {})}


@pytest.fixture
def cli(home: Path, base: "Base", tmp_path: Path) -> Cli:
    """Runs `python -m agent_runner ARGS --out <new directory>`."""
    count = 0

    def run(*args: str, env: Mapping[str, str] | None = None) -> Ran:
        nonlocal count
        count += 1
        out = tmp_path / f"run-{count}"
        done = subprocess.run(
            [sys.executable, "-m", "agent_runner", *args, "--out", str(out)],
            cwd=ROOT, env=environment(home, env), capture_output=True, text=True,
            timeout=LIMIT_S, check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr, out)

    return run


def ours(out: Path) -> list[str]:
    """The containers of one run that are still there."""
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--filter", f"label=agent_runner.run={RunDir(out).run_id}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return listed.stdout.split()


TIMES = re.compile(r"\b\d+(?:\.\d+)? ?s\b|\d\d:\d\d(?::\d\d)?")


def without_times(tree: Any) -> Any:
    """A result or trajectory with times, ids and paths taken out."""
    if isinstance(tree, dict):
        return {
            key: "*"
            if key in {"duration_s", "waited_s", "id", "patch_sha256"}
            else without_times(value)
            for key, value in tree.items()
            if key not in {"stages", "image_digest"}
        }
    if isinstance(tree, list):
        return [without_times(item) for item in tree]
    if isinstance(tree, str):
        return re.sub(r"=+|-+", "-", TIMES.sub("*", tree))
    return tree
