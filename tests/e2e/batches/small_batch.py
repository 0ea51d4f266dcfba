"""A batch of small tasks: some that an agent solves, some it does not, each by a script."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agent_runner.result import Result
from tests.e2e.conftest import ROOT, environment
from tests.e2e.small_task import DAY, FIX, HIDDEN, TURNS, SmallTask

KINDS = ("solved", "unsolved", "given-up")
# What must be the same however often a batch was cut short.
KEPT = ("task_id", "attempt", "status", "termination", "grade", "patch_sha256", "turns")


@dataclass(frozen=True)
class SmallBatch:
    """The tasks file, the scripts and the YAML, below a directory of its own.

    Attributes:
        episodes: how many it has.
    """

    place: Path
    home: Path
    episodes: int

    @classmethod
    def make(cls, place: Path, home: Path, *, layers: int, tasks: int, at_once: int = 4,
             seconds: int = 0) -> "SmallBatch":  # fmt: skip
        """Writes it.

        Args:
            layers: how many different instances the tasks are spread over.
            seconds: of the day, from which the instances' dates count; others mean other layers.
        """
        place.mkdir()
        small = SmallTask.make(place / "task")
        for kind in KINDS:
            script = yaml.safe_dump({"turns": turns(kind)})
            (place / f"{kind}.yaml").write_text(script, encoding="utf-8")
        rows = [row(small, n, seconds + n % layers) for n in range(tasks)]
        text = "".join(json.dumps(each) + "\n" for each in rows)
        (place / "tasks.jsonl").write_text(text, encoding="utf-8")
        for each in rows:
            kind = each["task_id"].partition("__")[0]
            link = place / "scripts" / f"{each['task_id']}.yaml"
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(place / f"{kind}.yaml")
        config = {
            "tasks": {"source": {"type": "file", "path": str(place / "tasks.jsonl")}},
            "solver": "replay",
            "recording": str(place / "scripts" / "{task_id}.yaml"),
            "limits": {"memory_mb": 512},
            "executor": {"type": "local", "concurrency": at_once},
            "termination": {"nudges": 0},
        }
        (place / "batch.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        return cls(place, home, tasks)

    @property
    def yaml(self) -> Path:
        """The batch's configuration."""
        return self.place / "batch.yaml"

    def env(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The variables of its command lines."""
        return environment(self.home, extra)

    def start(self, *args: str, program: tuple[str, ...] = ("agent_runner",),
              err: Path | None = None, env: Mapping[str, str] | None = None,
              ) -> subprocess.Popen[bytes]:  # fmt: skip
        """`python -m agent_runner batch ARGS`, or another module before `batch`."""
        with (err or Path(os.devnull)).open("ab") as stderr:
            return subprocess.Popen(
                [sys.executable, "-m", *program, "batch", *args],
                cwd=ROOT, env=self.env(env), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=stderr,
            )  # fmt: skip

    def run(
        self, *args: str, limit_s: float = 600, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The same to its end."""
        return subprocess.run(
            [sys.executable, "-m", "agent_runner", "batch", *args],
            cwd=ROOT, env=self.env(env), capture_output=True, text=True, timeout=limit_s,
            check=False,
        )  # fmt: skip


def results(directory: Path) -> list[dict[str, Any]]:
    """Every line of the journal that ends with a newline, each of which must parse."""
    content = (directory / "results.jsonl").read_bytes()
    return [json.loads(line) for line in content.split(b"\n")[:-1]]


def kept(directory: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """What must not hang on how the batch was run, by task and attempt; none may stand twice."""
    lines = results(directory)
    found = {
        (line["task_id"], line["attempt"]): {name: _plain(line[name]) for name in KEPT}
        for line in lines
    }
    assert len(found) == len(lines), "an episode has two lines"
    return found


def _plain(value: Any) -> Any:
    # Whether the controls ran beside this episode or an earlier one is no part of its verdict.
    return {k: v for k, v in value.items() if k != "controls"} if isinstance(value, dict) else value


def turns(kind: str) -> list[dict[str, Any]]:
    """What the model says."""
    calls = [{"reply": {"calls": [{"tool": tool, "arguments": given}]}} for tool, given in TURNS]
    if kind == "unsolved":
        calls = [turn for turn in calls if "swe_apply_patch" not in json.dumps(turn)]
    if kind == "given-up":
        return [*calls[:3], {"reply": {"content": "I cannot do this."}}]
    return [*calls, {"reply": {"content": "Done.\n\nTERMINATE"}}]


def row(small: SmallTask, number: int, second: int) -> dict[str, Any]:
    """A task row."""
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return {
        "task_id": f"{KINDS[number % len(KINDS)]}__{number:02d}",
        "repo": str(small.place / "tally"),
        "ref": "main",
        "created_at": f"{DAY}T{clock}Z",
        "problem_statement": "`total` forgets the first number",
        "patch": FIX,
        "test_patch": HIDDEN,
        "FAIL_TO_PASS": ["test_tally.py::test_all_of_them"],
        "PASS_TO_PASS": ["test_tally.py::test_nothing"],
    }


def result_of(directory: Path, name: str) -> Result:
    """An episode's own result."""
    text = (directory / "episodes" / name / "result.json").read_text(encoding="utf-8")
    return Result.model_validate_json(text)
