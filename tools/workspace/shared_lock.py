"""A file that many hold together or one alone; a lock ends with the process that holds it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def hold_shared(path: Path) -> IO[bytes]:
    """Waits while somebody holds it alone; held until the file that is returned is closed."""
    file = path.open("ab")
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


@contextmanager
def held_alone(path: Path) -> Iterator[bool]:
    """Says whether nobody else holds it; nobody begins to within the block."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
