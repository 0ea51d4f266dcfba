"""The command line. What a command needs is imported when it runs, so that `--help` is quick."""

import importlib
import sys
import time
from pathlib import Path

import click

from agent_runner import __version__
from agent_runner.errors import InfraFault, UsageError
from agent_runner.imports import collector_paused

FILE = click.Path(path_type=Path)
# Name -> what `--help` says of it; the command itself is `commands/<name>.py: command`.
COMMANDS = {
    "batch": "Run many tasks at once; go on with what was cut short.",
    "grade": "Grade predictions on SWE-bench, or any set of its shape.",
    "regrade": "Read the logs a grading saved again; no container.",
    "images": "List, build, pull, prune or explain images of workspaces.",
    "shell": "Open a shell in the workspace a run with --keep left.",
    "clean": "Remove what runs that died left in Docker.",
    "doctor": "Check engine, disk, image, key and endpoint; say what to do.",
}
EPILOG = """\b
Examples:
  python -m agent_runner --config configs/demo.yaml
  python -m agent_runner --task-id TASK --model kimi
  python -m agent_runner --tasks my_tasks.jsonl --task-id TASK --solver gold
  python -m agent_runner --dataset SWE-bench_Verified --task-id INSTANCE
  python -m agent_runner --task-id TASK --recording sandbox/runs/RUN
  python -m agent_runner --repo . --ref main --patch fix.diff --pytest-k "not slow"

Exit codes: 0 resolved, 1 not resolved, 2 the command line is wrong, 3 the engine, disk, network,
image or provider failed or the task does not hold, 130 interrupted. The last line on stdout is the
result as JSON; everything else goes to stderr and into the run directory."""


class Commands(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports one."""
        if cmd_name not in COMMANDS:
            return None
        with collector_paused():
            module = importlib.import_module(f"agent_runner.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists them without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="agent_runner")
@click.option("--task-id", metavar="ID", help="The task to run.")
@click.option("--tasks", type=FILE, help="Tasks, one JSON object a line. [the seeds]")
@click.option("--dataset", metavar="NAME_OR_PATH", help="A SWE-bench data set instead of --tasks.")
@click.option("--split", metavar="NAME", help="With --dataset. [test]")
@click.option("--repo", metavar="URL_OR_PATH", help="Instead of a task: any repository, no agent.")
@click.option("--ref", help="With --repo: commit, tag or branch. [HEAD]")
@click.option("--pytest-k", metavar="EXPR", help="With --repo: only tests that match.")
@click.option("--tests", multiple=True, metavar="PATH", help="With --repo: the tests to run.")
@click.option("--patch", type=FILE, help="The diff for --solver patch, or with --repo.")
@click.option(
    "--solver",
    type=click.Choice(["agent", "gold", "none", "patch", "replay"]),
    help="Who solves it: an agent, the reference patch, nobody, --patch, or --recording. [agent]",
)
@click.option("--recording", type=FILE, help="Play the model's part of this run or script again.")
@click.option("--model", metavar="NAME", help="A profile of configs/models.yaml, run live. [kimi]")
@click.option("--base-url", metavar="URL", help="Another OpenAI-compatible endpoint.")
@click.option("--prompt", type=FILE, help="Another prompt. [configs/prompts/agent.md]")
@click.option("--max-turns", type=click.IntRange(1), help="The most turns an agent may take. [50]")
@click.option("--config", type=FILE, multiple=True, help="A YAML of settings; later ones win.")
@click.option("--set", "sets", multiple=True, metavar="KEY.SUB=VALUE", help="One setting.")
@click.option(
    "--out", type=FILE, help="The run directory; must be new. [sandbox/runs/<time>-<task>]"
)
@click.option("--keep", is_flag=True, help="Leave the workspace, for `shell`.")
@click.option("--quiet", is_flag=True, help="Nothing on stderr but errors.")
@click.pass_context
def command(ctx: click.Context, /, **options: object) -> None:
    """Puts an AutoGen agent to work on a software task in Docker, and grades what it did.

    Without a command: one run, of a task (--task-id) or of a repository as it is (--repo).
    """
    if ctx.invoked_subcommand is None:
        with collector_paused():
            from agent_runner.commands.options import Options
            from agent_runner.commands.run import run
        began_s: float = ctx.obj
        ctx.exit(run(Options.model_validate(options), began_s))


def main() -> None:
    """Entry point; ends the process with the exit code of the contract."""
    began_s = time.monotonic()
    try:
        code = command.main(prog_name="agent_runner", standalone_mode=False, obj=began_s)
    except UsageError as error:
        fail(str(error))
    except click.UsageError as error:
        fail(f"{error.format_message()} (see --help)")
    except InfraFault as fault:
        click.echo(f"agent_runner: {fault.kind}: {' '.join(fault.message.split())}", err=True)
        sys.exit(3)
    except click.Abort:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def fail(message: str) -> None:
    """The user's mistake: one line, exit 2."""
    click.echo(f"agent_runner: {' '.join(message.split())}", err=True)
    sys.exit(2)
