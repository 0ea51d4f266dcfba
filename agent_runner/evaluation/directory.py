"""The directory of a grading of many: a directory for each instance, the reports above them."""

import hashlib
import json
import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from agent_runner.benchmarks.swebench.row import Row
from agent_runner.errors import UsageError
from agent_runner.result import ErrorInfo, Grade, Record, Status
from agent_runner.sole_writer import sole_writer
from agent_runner.write_whole import write_whole

DONE = "grade.json"
FACTS = "run.json"
VERDICTS = frozenset({Status.RESOLVED, Status.UNRESOLVED})


class Outcome(Record):
    """What became of one instance (`grade.json`, written last: it is there when the rest is).

    Attributes:
        reason: one line, why it is not resolved or has no verdict; "" where it is resolved.
        identity: hash of patch, recipe and grading version: the same means the same verdict.
        counts_as_error: the official harness would have written no report for it.
        source: `graded`, or `kept` where the verdict was there from an earlier run.
    """

    instance_id: str
    status: Status
    reason: str
    patch_sha256: str
    identity: str
    layer_key: str | None = None
    grade: Grade | None = None
    error: ErrorInfo | None = None
    counts_as_error: bool = False
    source: str = "graded"
    duration_s: float = 0.0

    @property
    def has_verdict(self) -> bool:
        """Whether it says anything about the patch."""
        return self.status in VERDICTS


class GradeFacts(Record):
    """What a directory was made from (`run.json`; keys of the official file of that name first)."""

    dataset: str
    split: str
    task_repo: None = None
    created_at: str
    predictions: str
    predictions_sha256: str
    model: str
    selected_ids: tuple[str, ...]
    submitted_ids: tuple[str, ...]
    empty_ids: tuple[str, ...]
    unknown_ids: tuple[str, ...]
    grading_version: str

    def is_of(self, other: "GradeFacts") -> bool:
        """Whether it is the same work, perhaps grown: the same set and the same predictions."""
        same_set = (self.dataset, self.split) == (other.dataset, other.split)
        same_file = self.predictions == other.predictions
        return same_set and (same_file or self.predictions_sha256 == other.predictions_sha256)


@dataclass(frozen=True)
class GradeDir:
    """The files below one directory."""

    path: Path

    def instance(self, instance_id: str) -> Path:
        """Where an instance's files are."""
        return self.path / instance_id

    def begin(self, row: Row, patch: bytes) -> Path:
        """Makes an instance's directory anew, with what is known before it is graded."""
        directory = self.instance(row.instance_id)
        directory.mkdir(exist_ok=True)
        # First of all the mark that all is there.
        for path in sorted(directory.iterdir(), key=lambda path: path.name != DONE):
            if path.is_file():
                path.unlink()
        (directory / "patch.diff").write_bytes(patch)
        (directory / "row.json").write_text(row.model_dump_json() + "\n", encoding="utf-8")
        return directory

    def finish(self, outcome: Outcome) -> None:
        """Writes `grade.json`: once it is there the instance is done."""
        text = outcome.model_dump_json(indent=2) + "\n"
        write_whole(self.instance(outcome.instance_id) / DONE, text.encode())

    def outcome(self, instance_id: str) -> Outcome | None:
        """What an earlier run came to; None where it came to nothing that can be read."""
        try:
            text = (self.instance(instance_id) / DONE).read_text(encoding="utf-8")
            return Outcome.model_validate_json(text)
        except (OSError, ValidationError):
            return None

    def report(self, instance_id: str) -> dict[str, object] | None:
        """The official report of an instance; None where there is none."""
        path = self.instance(instance_id) / "report.json"
        try:
            report = json.loads(path.read_text(encoding="utf-8"))[instance_id]
        except (OSError, ValueError, KeyError):
            return None
        return report if isinstance(report, dict) else None

    def row(self, instance_id: str) -> Row:
        """The row an instance was graded by.

        Raises:
            UsageError: it is not there any more.
        """
        path = self.instance(instance_id) / "row.json"
        try:
            return Row.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise UsageError(f"{path}: is no row of a grading") from error

    def write(self, name: str, text: str) -> None:
        """Writes one of the files above the instances, by rename."""
        write_whole(self.path / name, text.encode())

    def locked(self) -> AbstractContextManager[None]:
        """Held by the one process that writes here.

        Raises:
            UsageError: on entry, another one does.
        """
        return sole_writer(self.path)

    def facts(self) -> GradeFacts | None:
        """What it was made from; None where it is not one of ours.

        Raises:
            UsageError: it is there and cannot be read.
        """
        path = self.path / FACTS
        try:
            return GradeFacts.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise UsageError(f"{path} is not what `grade` writes") from error


def open_grade_dir(path: Path, facts: GradeFacts) -> GradeDir:
    """A new directory, or one that the same work has begun.

    Raises:
        UsageError: it holds something else, or cannot be made.
    """
    directory = GradeDir(path.resolve())
    try:
        path.mkdir(parents=True, exist_ok=True)
        before = directory.facts()
        if before is None and any(path.iterdir()):
            raise UsageError(f"--out {path} is not empty and no grading; name a new directory")
    except OSError as error:
        raise UsageError(f"cannot make {path}: {error.strerror}") from error
    if before is not None and not facts.is_of(before):
        raise UsageError(
            f"--out {path} holds the grades of {before.predictions} on {before.dataset} "
            f"({before.split}); name a new directory"
        )
    directory.write(FACTS, facts.model_dump_json(indent=2) + "\n")
    return directory


def fingerprint(parts: Iterable[tuple[str, bytes]]) -> str:
    """One hash over named contents, in any order."""
    digest = hashlib.sha256()
    for name, content in sorted(parts):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def slug(name: str) -> str:
    """A data set's name as a part of a directory's name."""
    last = Path(name).stem if "/" in name or "." in name else name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-.")[:40] or "dataset"
