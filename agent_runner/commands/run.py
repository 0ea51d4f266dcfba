"""The single run: a task or a repository, from the command line to the last line of stdout."""

import asyncio
import os
import shutil
import signal
import traceback

import click

from agent_runner.commands.choose import chosen_patch, chosen_task
from agent_runner.commands.options import Options, configure
from agent_runner.config import dump
from agent_runner.episode import run_episode
from agent_runner.errors import UsageError
from agent_runner.job import Job
from agent_runner.model import choose
from agent_runner.observer import Observer
from agent_runner.places import found, home
from agent_runner.prompts import render
from agent_runner.result import Result
from agent_runner.run_dir import RunDir, create
from agent_runner.stages import Stages

INTERRUPTED = 130
AGENTS = ("agent", "replay")


def run(options: Options, began_s: float) -> int:
    """Runs once and returns the exit code.

    Raises:
        UsageError: something that was asked for is wrong; nothing was started.
    """
    config = configure(options)
    located = chosen_task(options, config)
    patch = chosen_patch(config, located.task)
    with_agent = config.solver in AGENTS
    model = choose(config, os.environ) if with_agent else None
    prompts = render(found(config.prompt), located.task) if with_agent else None
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
