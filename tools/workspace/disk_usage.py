"""What directories of this machine take on its disk."""

import os
from contextlib import suppress
from pathlib import Path


def size_bytes(directory: Path) -> int:
    """Bytes of a directory and all below it; hard links count once, what goes meanwhile nothing."""
    return sum(_sizes(directory).values())


def _sizes(directory: str | Path) -> dict[tuple[int, int], int]:
    found: dict[tuple[int, int], int] = {}
    with suppress(FileNotFoundError), os.scandir(directory) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                facts = entry.stat(follow_symlinks=False)
                found[facts.st_dev, facts.st_ino] = facts.st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    found |= _sizes(entry.path)
    return found
