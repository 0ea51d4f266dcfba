"""The task: what is to be solved, as a row of a tasks file says it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from agent_runner.document import explain
from agent_runner.errors import UsageError
from agent_runner.nearest import nearest


def _ids(value: object) -> object:
    """Test ids are a list, or (in most SWE-bench rows) that list as a JSON string."""
    return json.loads(value) if isinstance(value, str) else value


Ids = Annotated[tuple[str, ...], BeforeValidator(_ids)]


class Task(BaseModel):
    """One row. The short form is `task_id, repo, ref, pytest_k`.

    `test_patch` empty means that the failing tests are visible at the ref. `created_at` is the date
    as of which dependencies are taken; empty means the commit's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_id: str = Field(min_length=1)
    repo: str = Field(min_length=1)
    ref: str = ""
    problem_statement: str = ""
    created_at: str = ""
    python: str | None = Field(None, pattern=r"^3\.\d+$")
    pytest_k: str = ""
    test_paths: tuple[str, ...] = ()
    test_cmd: str = ""
    patch: str = ""
    test_patch: str = ""
    FAIL_TO_PASS: Ids = ()
    PASS_TO_PASS: Ids = ()
    category: str = ""
    difficulty: str = ""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.PASS_TO_PASS and not self.FAIL_TO_PASS:
            raise ValueError("PASS_TO_PASS without FAIL_TO_PASS")
        return self

    @property
    def tests_are_hidden(self) -> bool:
        """Whether the failing tests come only with `test_patch`."""
        return bool(self.test_patch)

    @property
    def test_files(self) -> tuple[str, ...]:
        """The files the ids name; without ids, the task's test paths."""
        ids = self.FAIL_TO_PASS + self.PASS_TO_PASS
        files = {name.partition("::")[0] for name in ids} or set(self.test_paths)
        return tuple(sorted(files))

    @property
    def slug(self) -> str:
        """The task id as a file name."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", self.task_id).strip("-.")[:80] or "task"


@dataclass(frozen=True)
class Official:
    """What a benchmark itself says of how a task is graded (a row of SWE-bench 5.x).

    Attributes:
        repo: `owner/name`, by which facts about a repository are kept.
        version: of the project, as the benchmark counts it, e.g. `2.3`.
        image: the published image; "" where the row names none.
        eval_script: the whole evaluation script.
        log_parser: the name of the parser of what the script prints.
        eval_type: `pass_and_fail` or `fail_only`.
    """

    repo: str
    version: str
    image: str
    eval_script: str
    log_parser: str
    eval_type: str


@dataclass(frozen=True)
class Located:
    """A task and where its repository really is.

    Attributes:
        source: a URL, or the absolute path of a repository or fast-import stream.
        official: the benchmark's own rules; None for a plain row, graded by ours.
    """

    task: Task
    source: str
    official: Official | None = None


def load_tasks(path: Path) -> list[Task]:
    """Reads a tasks file, one JSON object a line.

    Raises:
        UsageError: it does not exist, or a line of it is wrong (named by number).
    """
    try:
        # Not `splitlines`: U+2028 and its like may stand raw inside a JSON string.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the tasks file {path}: {error}") from error
    tasks: dict[str, Task] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        task = _parse(line, f"{path}, line {number}")
        if task.task_id in tasks:
            raise UsageError(f"{path}, line {number}: task_id {task.task_id} is there twice")
        tasks[task.task_id] = task
    return list(tasks.values())


def _parse(line: str, where: str) -> Task:
    try:
        row: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise UsageError(f"{where}: no JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(row, dict):
        raise UsageError(f"{where}: a task is a JSON object")
    try:
        return Task.model_validate(row)
    except ValidationError as error:
        raise UsageError(f"{where}: {explain(error, Task.model_fields)}") from error


def find_task(path: Path, task_id: str) -> Task:
    """The task with an id.

    Raises:
        UsageError: there is none; the nearest ids are named.
    """
    tasks = load_tasks(path)
    for task in tasks:
        if task.task_id == task_id:
            return task
    ids = [task.task_id for task in tasks]
    hint = nearest(task_id, ids) or f"; it has {', '.join(ids[:10]) or 'no tasks'}"
    raise UsageError(f"{path} has no task {task_id!r}{hint}")


def locate(task: Task, directory: Path) -> Located:
    """Finds the repository; a path is relative to the tasks file.

    Raises:
        UsageError: a path at which there is no repository.
    """
    if is_url(task.repo):
        return Located(task, task.repo)
    path = (directory / Path(task.repo).expanduser()).resolve()
    if path.suffix == ".fast-import" and path.is_file():
        return Located(task, str(path))
    if not path.is_dir() or not ((path / ".git").exists() or (path / "objects").is_dir()):
        raise UsageError(f"{task.repo} is no repository ({path})")
    return Located(task, str(path))


def is_url(repo: str) -> bool:
    """Whether git would take it for an address: `scheme://...` or `host:path`."""
    return "://" in repo or bool(re.match(r"^[\w.-]+@?[\w.-]*:(?!\\)", repo))
