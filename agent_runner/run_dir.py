"""The run directory: what a run leaves, written as it goes, `result.json` last and by rename."""

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent_runner.errors import UsageError
from agent_runner.places import root
from agent_runner.provider.recording.recording import NAME as RECORDING
from agent_runner.result import Result
from agent_runner.write_whole import write_whole


@dataclass(frozen=True)
class RunDir:
    """One run's files."""

    path: Path

    @property
    def trajectory(self) -> Path:
        """One line per turn."""
        return self.path / "trajectory.jsonl"

    @property
    def recording(self) -> Path:
        """One line per request to the model and its answer."""
        return self.path / RECORDING

    @property
    def outputs(self) -> Path:
        """The full output of every command of a tool."""
        return self.path / "outputs"

    @property
    def grading(self) -> Path:
        """Script, log and report of the grading."""
        return self.path / "grading"

    @property
    def log(self) -> Path:
        """What was said on stderr and more, with times."""
        return self.path / "run.log"

    @property
    def run_id(self) -> str:
        """Names the run on labels; directories of one name in different places are two runs."""
        place = hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:8]
        return f"{self.path.name}-{place}"

    def write(self, name: str, content: bytes) -> None:
        """Writes one file."""
        (self.path / name).write_bytes(content)

    def finish(self, result: Result) -> None:
        """Writes `result.json`: once it is there the run is over."""
        write_whole(self.path / "result.json", result.model_dump_json(indent=2).encode() + b"\n")


def create(slug: str, out: Path | None) -> RunDir:
    """Makes the directory of a new run with the files that are always there.

    Raises:
        UsageError: `out` is not empty, or cannot be made.
    """
    now = datetime.now(UTC)
    stamp = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03d}Z"
    path = out or root() / "sandbox" / "runs" / f"{stamp}-{slug}"
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UsageError(f"--out {path} is not empty; name a new directory")
        for directory in (path, path / "outputs", path / "grading"):
            directory.mkdir(parents=True, exist_ok=True)
        for name in ("patch.diff", "tail_before.txt", "tail_after.txt", "trajectory.jsonl"):
            (path / name).touch()
    except OSError as error:
        raise UsageError(
            f"cannot make the run directory {path}: {os.strerror(error.errno or 0)}"
        ) from error
    return RunDir(path.resolve())
