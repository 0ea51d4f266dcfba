"""The directory of a batch: what was asked for, a directory per episode, and the journals."""

import json
import shutil
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from agent_runner.batch.entry import Entry
from agent_runner.batch.identity import Facts
from agent_runner.batch.journal import Journal
from agent_runner.errors import UsageError
from agent_runner.places import root
from agent_runner.result import Record, Result
from agent_runner.sole_writer import sole_writer
from agent_runner.task import Located, Official, Task
from agent_runner.write_whole import write_whole

FACTS, TASKS, CONFIG = "batch.json", "tasks.jsonl", "config.yaml"


class TaskLine(Record):
    """One line of `tasks.jsonl`: a task as it was when the batch began.

    Attributes:
        name: of its episodes' directories.
    """

    name: str
    task: Task
    source: str
    official: Official | None

    @property
    def located(self) -> Located:
        """The task and its repository."""
        return Located(self.task, self.source, self.official)


@dataclass(frozen=True)
class BatchDir:
    """The files below one directory."""

    path: Path

    @cached_property
    def results(self) -> Journal[Entry]:
        """One line per episode that has ended."""
        return Journal(self.path / "results.jsonl", Entry)

    @cached_property
    def tries(self) -> Journal[Entry]:
        """One line per try that was begun again, as evidence and for what it cost."""
        return Journal(self.path / "tries.jsonl", Entry)

    def episode(self, name: str) -> Path:
        """Where an episode's files are."""
        return self.path / "episodes" / name

    def set_aside(self, name: str) -> Path | None:
        """Moves an episode's files to `tries/`; None where there are none."""
        there = self.episode(name)
        if not there.exists():
            return None
        above = self.path / "tries"
        above.mkdir(exist_ok=True)
        number = 1
        while (above / f"{name}.{number}").exists():
            number += 1
        return there.rename(above / f"{name}.{number}")

    def result(self, name: str) -> Result | None:
        """What an episode came to; None where it did not end, or nobody can read it."""
        try:
            text = (self.episode(name) / "result.json").read_text(encoding="utf-8")
            return Result.model_validate_json(text)
        except (OSError, ValidationError):
            return None

    def facts(self) -> Facts:
        """What was asked for.

        Raises:
            UsageError: it is no batch.
        """
        path = self.path / FACTS
        try:
            return Facts.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise UsageError(f"{self.path} is no batch that was begun: see {FACTS}") from error

    def tasks(self) -> list[TaskLine]:
        """The tasks, as they were when it began."""
        return Journal(self.path / TASKS, TaskLine).read()

    def write_predictions(self, entries: Iterable[Entry], model: str) -> None:
        """Writes `preds.jsonl` (first attempts) and `preds.<n>.jsonl`, made from the patches."""
        by_attempt: dict[int, list[str]] = {}
        for entry in entries:
            patch = self.episode(entry.directory) / "patch.diff"
            text = patch.read_bytes().decode("utf-8", "surrogateescape") if patch.exists() else ""
            line = {
                "instance_id": entry.task_id, "model_name_or_path": model, "model_patch": text
            }  # fmt: skip
            by_attempt.setdefault(entry.attempt, []).append(json.dumps(line) + "\n")
        for attempt, lines in (by_attempt or {1: []}).items():
            name = "preds.jsonl" if attempt == 1 else f"preds.{attempt}.jsonl"
            write_whole(self.path / name, "".join(lines).encode())

    def locked(self) -> AbstractContextManager[None]:
        """Held by the one process that writes here.

        Raises:
            UsageError: on entry, another one does.
        """
        return sole_writer(self.path)


def new_batch_path(slug: str, out: Path | None) -> Path:
    """Where a new batch goes.

    Raises:
        UsageError: `out` is not empty.
    """
    now = datetime.now(UTC)
    stamp = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03d}Z"
    path = out or root() / "sandbox" / "runs" / f"{stamp}-{slug}"
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(
            f"--out {path} is not empty; name a new directory, or go on with --resume {path}"
        )
    return path.resolve()


def new_batch_dir(path: Path, facts: Facts, tasks: Iterable[TaskLine], config: str) -> BatchDir:
    """Makes the directory with what was asked for; it is there whole or not at all.

    Raises:
        UsageError: it cannot be made.
    """
    part = path.with_name(f".{path.name}.part")
    lines = b"".join(line.model_dump_json().encode() + b"\n" for line in tasks)
    try:
        shutil.rmtree(part, ignore_errors=True)  # of one that was killed right here
        (part / "episodes").mkdir(parents=True)
        (part / "results.jsonl").touch()
        write_whole(part / TASKS, lines)
        write_whole(part / CONFIG, config.encode())
        write_whole(part / FACTS, facts.model_dump_json(indent=2).encode() + b"\n")
        part.rename(path)
    except OSError as error:
        raise UsageError(f"cannot make {path}: {error.strerror}") from error
    return BatchDir(path)


def task_lines(tasks: Iterable[Located]) -> list[TaskLine]:
    """Tasks with a name for their directories, each its own."""
    lines: list[TaskLine] = []
    taken: set[str] = set()
    for one in tasks:
        name, number = one.task.slug, 2
        while name in taken:
            name, number = f"{one.task.slug}-{number}", number + 1
        taken.add(name)
        lines.append(TaskLine(name=name, task=one.task, source=one.source, official=one.official))
    return lines
