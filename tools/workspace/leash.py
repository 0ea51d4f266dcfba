"""Processes of the host that end with us, even where we are killed."""

import shutil
from functools import cache
from pathlib import Path


@cache
def leash() -> tuple[str, ...]:
    """What to put before a command so that it gets SIGTERM when the thread that started it is gone.

    Empty where the machine has nothing for it (only Linux has the signal, util-linux the tool):
    there it ends when it finds its pipes closed.
    """
    tool = shutil.which("setpriv")
    if tool is None or Path(tool).resolve().name == "busybox":
        return ()
    return (tool, "--pdeathsig", "TERM", "--")
