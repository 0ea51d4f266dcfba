"""The labels on what we make: what a crash leaves is found by them."""

import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

RUN = "agent_runner.run"
OWNER = "agent_runner.owner"
LEASE = "agent_runner.lease_until"
KEPT = "agent_runner.kept"
ROLE = "agent_runner.role"
LAYER = "agent_runner.layer"
KEY = "agent_runner.key"
NOBODYS = dict.fromkeys((RUN, OWNER, LEASE, ROLE), "")


@dataclass(frozen=True)
class Owner:
    """The process that made a thing: unique on one machine between two boots."""

    machine: str
    boot: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> "Owner":
        """The running process."""
        return cls(platform.node(), _boot(), os.getpid(), _started(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> "Owner | None":
        """Reads `str(owner)`; None where it is not one."""
        parts = text.split("/")
        if len(parts) != 4 or not parts[2].isdigit():
            return None
        return cls(parts[0], parts[1], int(parts[2]), parts[3])

    def __str__(self) -> str:
        return f"{self.machine}/{self.boot}/{self.pid}/{self.started}"

    def is_dead(self) -> bool | None:
        """Whether the process is gone; None where it ran on another machine and nobody can say."""
        if self.machine != platform.node():
            return None
        return self.boot != _boot() or _started(self.pid) != self.started


def _boot() -> str:
    """The kernel's boot id; empty where there is none (macOS), where pid and start time decide."""
    file = Path("/proc/sys/kernel/random/boot_id")
    return file.read_text(encoding="ascii").strip()[:8] if file.exists() else ""


def _started(pid: int) -> str:
    """When the process started, in kernel ticks: tells a reused pid from the old one."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "gone" if Path("/proc/self").exists() else _alive_without_proc(pid)
    # The command's name stands in brackets and may hold blanks and brackets of its own.
    return stat.rpartition(")")[2].split()[19]


def _alive_without_proc(pid: int) -> str:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        return "alive"
    return "alive"


def run_labels(run_id: str, role: str, *, lease_s: float, kept: bool = False) -> dict[str, str]:
    """The labels of a container of this process.

    Args:
        lease_s: seconds after which the thing may be taken for dead where its owner is unknown.
        kept: whether it outlives the run on purpose (`--keep`).
    """
    labels = {
        RUN: run_id,
        OWNER: str(Owner.current()),
        LEASE: str(int(time.time() + lease_s)),
        ROLE: role,
    }
    return labels | ({KEPT: "1"} if kept else {})


def is_leftover(labels: Mapping[str, str], now_s: float) -> bool:
    """Whether a labelled thing of ours is dead: its owner is gone, or unknown and the lease over.

    What `--keep` left on purpose is never a leftover.
    """
    if KEPT in labels:
        return False
    owner = Owner.parse(labels.get(OWNER, ""))
    dead = owner.is_dead() if owner else None
    if dead is None:
        return now_s > float(labels.get(LEASE, "0"))
    return dead
