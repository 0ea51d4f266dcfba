"""The single run: a task or a repository, from the command line to the last line of stdout."""

import asyncio
import os
import shutil
import signal
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel, ConfigDict

from agent_runner.benchmarks import seeds
from agent_runner.config import RunConfig, dump, merge, parse_set, read_layer, resolve
from agent_runner.episode import Job, run_episode
from agent_runner.errors import UsageError
from agent_runner.model import choose
from agent_runner.observer import Observer
from agent_runner.places import home, root
from agent_runner.prompts import render
from agent_runner.result import Result
from agent_runner.run_dir import RunDir, create
from agent_runner.stages import Stages
from agent_runner.task import Located, Task, find_task, load_tasks, locate

INTERRUPTED = 130
AGENTS = ("agent", "replay")


class Options(BaseModel):
    """The options of the command line, as they were given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_id: str | None
    tasks: Path | None
    repo: str | None
    ref: str | None
    pytest_k: str | None
    tests: tuple[str, ...]
    patch: Path | None
    solver: str | None
    recording: Path | None
    model: str | None
    base_url: str | None
    prompt: Path | None
    max_turns: int | None
    config: tuple[Path, ...]
    sets: tuple[str, ...]
    out: Path | None
    keep: bool
    quiet: bool


def run(options: Options, began_s: float) -> int:
    """Runs once and returns the exit code.

    Raises:
        UsageError: something that was asked for is wrong; nothing was started.
    """
    config = configure(options)
    located = _task(options, config)
    patch = _patch(config, located.task)
    with_agent = config.solver in AGENTS
    model = choose(config, os.environ) if with_agent else None
    prompts = render(_found(config.prompt), located.task) if with_agent else None
    was_there = options.out is not None and options.out.exists()
    directory = create(located.task.slug, options.out)
    directory.write("config.yaml", dump(config).encode())
    with directory.log.open("a", encoding="utf-8") as log:
        observer = Observer(quiet=options.quiet, log=log)
        job = Job(
            config, located, directory, home(), Stages(began_s), patch,
            own_tests=options.repo is not None, model=model, prompts=prompts, keep=options.keep,
        )  # fmt: skip
        try:
            result = _run(job, observer)
        except UsageError:
            shutil.rmtree(directory.path)
            if was_there:
                directory.path.mkdir()
            raise
        _summarise(result, directory, observer, options.keep)
    click.echo(result.compact())
    return result.exit_code


def _run(job: Job, observer: Observer) -> Result:
    """Runs the episode; Ctrl-C and SIGTERM end it with its result written."""

    async def interruptible() -> Result:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await run_episode(job, observer)

    try:
        with asyncio.Runner() as runner:
            return runner.run(interruptible())
    except (KeyboardInterrupt, asyncio.CancelledError):
        observer.say("interrupted")
    except UsageError:
        raise
    except Exception:  # noqa: BLE001 - a bug: its traceback, then the result that says `internal`
        traceback.print_exc()
        observer.note(traceback.format_exc())
    written = (job.directory.path / "result.json").read_text(encoding="utf-8")
    return Result.model_validate_json(written)


def _summarise(result: Result, directory: RunDir, observer: Observer, keep: bool) -> None:
    error = f" ({result.error.kind}: {result.error.message})" if result.error else ""
    turns = f", {result.turns} turns" if result.turns else ""
    turns += f", stopped by {result.termination}" if result.termination else ""
    tell = observer.complain if result.error else observer.say
    tell(f"{result.status}{error} in {result.duration_s:.1f} s{turns}")
    observer.say(f"run directory: {directory.path}")
    if keep:
        observer.say(f"workspace kept: python -m agent_runner shell {directory.path}")
        observer.say(f"to remove it:   python -m agent_runner clean {directory.path}")


def configure(options: Options) -> RunConfig:
    """Defaults < `--config` files < `--set` < named options.

    Raises:
        UsageError: a key or a value is wrong.
    """
    given = [read_layer(path) for path in options.config]
    given += [parse_set(text) for text in options.sets]
    named = _named(options)
    config = resolve([*given, named])
    if config.solver == "replay" and options.model and not options.solver:
        # A model named by hand means a live run, whatever a configuration file replays.
        config = resolve([*given, named, {"solver": "agent", "recording": None}])
    if options.repo is None and config.solver == "patch" and config.patch.file is None:
        raise UsageError("--solver patch needs --patch FILE")
    if options.patch is not None and config.solver != "patch":
        raise UsageError(f"--patch is for --solver patch, not for {config.solver}")
    from_seeds = config.tasks is None and options.repo is None
    if from_seeds:
        agent = {"solver": config.solver, "recording": config.recording}
        config = resolve([{"limits": seeds.LIMITS}, *given, named, agent])
    return config


def _named(options: Options) -> dict[str, Any]:
    """The options that were given, as a layer of the configuration."""
    plain = {
        "task_id": options.task_id,
        "tasks": options.tasks,
        "solver": options.solver,
        "recording": options.recording,
        "model": options.model,
        "base_url": options.base_url,
        "prompt": options.prompt,
    }
    layer: dict[str, Any] = {key: str(value) for key, value in plain.items() if value is not None}
    if options.max_turns is not None:
        layer = merge(layer, {"termination": {"max_turns": options.max_turns}})
    if options.patch is not None:
        layer = merge(layer, {"patch": {"file": str(options.patch)}})
        layer.setdefault("solver", "patch")
    if options.repo is not None:
        layer.setdefault("solver", "patch")
    return layer


def _task(options: Options, config: RunConfig) -> Located:
    direct: Mapping[str, object] = {
        "--ref": options.ref, "--pytest-k": options.pytest_k, "--tests": options.tests
    }  # fmt: skip
    if options.repo is None:
        for name, value in direct.items():
            if value:
                raise UsageError(f"{name} belongs to --repo; a task brings its own")
        path = Path(config.tasks) if config.tasks else seeds.tasks_file()
        if config.task_id is None:
            ids = ", ".join(task.task_id for task in load_tasks(path)[:10])
            raise UsageError(f"name a task with --task-id (of {path}: {ids}) or use --repo")
        return locate(find_task(path, config.task_id), path.resolve().parent)
    if options.task_id or options.tasks:
        raise UsageError("--repo is a run of its own: leave out --task-id and --tasks")
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


def _patch(config: RunConfig, task: Task) -> bytes:
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


def _found(name: str) -> Path:
    """A file named in a configuration: from here, else from the checkout."""
    path = Path(name)
    return path if path.exists() else root() / path
