"""What the options name: the task to run, the patch to apply, a file to read."""

import os
from collections.abc import Mapping
from pathlib import Path

from agent_runner.benchmarks import seeds
from agent_runner.commands.options import Options
from agent_runner.config import RunConfig
from agent_runner.errors import UsageError
from agent_runner.task import Located, Task, find_task, load_tasks, locate


def chosen_task(options: Options, config: RunConfig) -> Located:
    """The task, and where its repository is.

    Raises:
        UsageError: it is not there, or the options contradict each other.
    """
    direct: Mapping[str, object] = {
        "--ref": options.ref, "--pytest-k": options.pytest_k, "--tests": options.tests
    }  # fmt: skip
    if options.repo is None:
        for name, value in direct.items():
            if value:
                raise UsageError(f"{name} belongs to --repo; a task brings its own")
        if config.dataset is not None:
            return _instance(config)
        path = Path(config.tasks) if config.tasks else seeds.tasks_file()
        if config.task_id is None:
            ids = ", ".join(task.task_id for task in load_tasks(path)[:10])
            raise UsageError(f"name a task with --task-id (of {path}: {ids}) or use --repo")
        return locate(find_task(path, config.task_id), path.resolve().parent)
    if options.task_id or options.tasks or options.dataset:
        raise UsageError("--repo is a run of its own: leave out --task-id, --tasks and --dataset")
    if config.solver not in {"patch", "none"}:
        raise UsageError("--repo runs without an agent; to use one, write a row for --tasks")
    if not options.repo.strip():
        raise UsageError("--repo is empty")
    name = options.repo.rstrip("/").rpartition("/")[2].removesuffix(".git") or "repository"
    repo = options.repo if options.repo != "." else str(Path.cwd())
    task = Task(
        task_id=name if name != "." else Path.cwd().name,
        repo=repo,
        ref=options.ref or "",
        pytest_k=options.pytest_k or "",
        test_paths=options.tests,
    )
    return locate(task, Path.cwd())


def _instance(config: RunConfig) -> Located:
    from agent_runner.benchmarks.swebench.dataset import find_row

    assert config.dataset is not None
    if config.task_id is None:
        raise UsageError(f"name an instance of {config.dataset} with --task-id")
    return find_row(config.dataset, config.task_id, config.split).located()


def chosen_patch(config: RunConfig, task: Task) -> bytes:
    """What a solver without an agent applies, checked.

    Raises:
        UsageError: it is missing, empty, binary or too large.
    """
    if config.solver == "gold":
        if not task.patch:
            raise UsageError(f"{task.task_id} has no reference patch for --solver gold")
        return task.patch.encode()
    if config.solver != "patch":
        if config.patch.file is not None:
            raise UsageError(f"a patch is given, but the solver is {config.solver}")
        return b""
    if config.patch.file is None:
        return b""
    from tools.patching import PatchLimits, PatchRefusal, parse
    from tools.patching.apply import check_size

    path = Path(config.patch.file)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read the patch {path}: {os.strerror(error.errno or 0)}"
        ) from error
    limits = PatchLimits(config.patch.max_bytes, config.patch.max_files, config.patch.max_hunks)
    try:
        check_size(parse(content, limits), limits)
    except PatchRefusal as refusal:
        raise UsageError(f"{path}: {refusal.summary} ({refusal.reason})") from refusal
    return content
