"""A file that is there whole, or as it was before."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Writes by rename: whoever reads sees all of it or what was there, after a power cut too."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
