"""`images`: what workspaces are made from. A subcommand is imported when it runs."""

import importlib

import click

COMMANDS = {
    "ls": "List what we made, with what is shared and what removing it would free.",
    "build": "Build the layers of tasks, or of a data set, where they are missing.",
    "pull": "Pull published images and make instances of them.",
    "prune": "Remove layers that nothing uses.",
    "explain": "Say where every choice for a task came from.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"agent_runner.commands.images_{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands)
def command() -> None:
    """The images workspaces start from.

    \b
    base         a Python, git, uv: swebench-lite:pyX.Y
    repository   history and files of a repository up to a calendar date
    environment  the dependencies of a date, resolved and installed
    instance     the project at its commit, installed

    Each stands on the one above it here, what several share is stored once, and what is there is
    never built again. A run builds what it needs; `images build` does so ahead.
    """
