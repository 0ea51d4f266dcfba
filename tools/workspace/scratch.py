"""Directories for a moment, named for the process that made them, so that a crash leaves no riddle.

They lie where the system keeps temporary files: `TMPDIR` says where.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tools.workspace.labels import Owner

PREFIX = "agent_runner"
NAME = re.compile(rf"{PREFIX}-([0-9a-f]{{8}}\.\d+)?-(\d+)-(\w+)-\w+")


@contextmanager
def scratch() -> Iterator[Path]:
    """A new empty directory, removed with the block."""
    owner = Owner.current()
    prefix = f"{PREFIX}-{owner.boot}-{owner.pid}-{owner.started}-"
    with tempfile.TemporaryDirectory(prefix=prefix) as made:
        yield Path(made)


def remove_dead_scratch() -> list[Path]:
    """Removes those whose process ended without doing so, and returns them.

    One of another user, boot or container stays: nobody here can say whether it is in use.
    """
    gone = []
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}-*"):
        match = NAME.fullmatch(path.name)
        if match is None:
            continue
        owner = replace(Owner.current(), boot=match[1] or "", pid=int(match[2]), started=match[3])
        if owner.is_dead():
            # Whatever a bootstrap had mounted there is no part of it.
            argv = ("rm", "-rf", "--one-file-system", "--", str(path))
            subprocess.run(argv, stderr=subprocess.DEVNULL, check=False)
            if not path.exists():
                gone.append(path)
    return gone
