"""A directory that one process at a time writes in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from agent_runner.errors import UsageError


@contextmanager
def sole_writer(directory: Path) -> Iterator[None]:
    """Holds `directory` against every other process that would write in it.

    Raises:
        UsageError: another one holds it.
    """
    lock = FileLock(directory / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise UsageError(f"{directory} is being written by another process") from error
    try:
        yield
    finally:
        lock.release()
