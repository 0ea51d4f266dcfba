"""How much of the machine a container may use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one container may use of the machine.

    Attributes:
        cpus: None means all of them.
        disk_bytes: what it may write; looked at, see `DiskWatch`. 0 for no limit.
    """

    memory_bytes: int = 4 * 1024**3
    cpus: float | None = None
    pids: int = 512
    disk_bytes: int = 10 * 1024**3
