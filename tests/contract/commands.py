"""Commands for the channel suite."""

from tools.workspace.channels.channel import Channel, Command

MB = 1_000_000


def sh(script: str, *args: str, timeout_s: float = 20.0, **options: int | bytes) -> Command:
    """A shell command."""
    argv = ("/bin/sh", "-c", script, "sh", *args)
    return Command(argv, timeout_s=timeout_s, **options)  # type: ignore[arg-type]


async def command_lines(channel: Channel) -> str:
    """Every process of the container, whoever started it."""
    listed = await channel.run(sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))
    return listed.stdout.decode()
