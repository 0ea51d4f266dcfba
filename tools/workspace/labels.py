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
LEASE_S = "agent_runner.lease_s"
KEPT = "agent_runner.kept"
ROLE = "agent_runner.role"
LAYER = "agent_runner.layer"
KEY = "agent_runner.key"
NOBODYS = dict.fromkeys((RUN, OWNER, LEASE, LEASE_S, KEPT, ROLE), "")
# Of a container's states, those in which it has an end, or has never begun.
OVER = frozenset({"created", "exited", "dead"})


@dataclass(frozen=True)
class Owner:
    """The process that made a thing: unique on one machine between two boots.

    Attributes:
        machine: its name, which two machines may share.
        boot: one boot and one namespace of process numbers; both say where `pid` means something.
        started: in kernel ticks, so that a number that is used again is another process.
    """

    machine: str
    boot: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> "Owner":
        """The running process."""
        pid = os.getpid()
        return cls(platform.node(), _boot(), pid, _started(pid) or "")

    @classmethod
    def parse(cls, text: str) -> "Owner | None":
        """Reads `str(owner)`; None where it is not one."""
        parts = text.split("/")
        if len(parts) != 4 or not parts[2].isdigit():
            return None
        return cls(parts[0], parts[1], int(parts[2]), parts[3])

    def __str__(self) -> str:
        return f"{self.machine}/{self.boot}/{self.pid}/{self.started}"

    def is_dead(self, *, ended_here: bool = False) -> bool | None:
        """Whether the process is gone; None where it cannot be seen from here.

        That is so on another machine, in another container, and after a reboot: a second machine
        of the same name looks just like the first one after it.

        Args:
            ended_here: what it made is at an end on an engine of this machine, so that another
                boot is one before this one.
        """
        boot = _boot()
        if self.machine != platform.node():
            return None
        if self.boot != boot:
            is_earlier = self.boot.partition(".")[0] != boot.partition(".")[0]
            return True if ended_here and is_earlier else None
        started = _started(self.pid)
        return None if started is None else started != self.started


def _boot() -> str:
    """The boot and the namespace of process numbers; empty where there is no /proc (macOS)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        return f"{boot[:8]}.{Path('/proc/self/ns/pid').readlink().name.strip('pid:[]')}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When a process started, in kernel ticks; `gone` where it ended, None where it is hidden."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return _without_proc(pid)
    # The command's name stands in brackets and may hold blanks and brackets of its own.
    fields = stat.rpartition(")")[2].split()
    # One that was killed keeps its entry until its parent looks, which some parents never do.
    return "gone" if fields[0] in "ZX" else fields[19]


def _without_proc(pid: int) -> str | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        pass
    return None if Path("/proc/self").exists() else "alive"


def run_labels(
    run_id: str, role: str, *, lease_s: float, renewed: bool = False, kept: bool = False
) -> dict[str, str]:
    """The labels of a container of this process.

    Args:
        lease_s: seconds after which the thing may be taken for dead where its owner is unknown.
        renewed: its PID 1 holds the lease and ends the container `lease_s` after the last renewal;
            without it the lease runs from now.
        kept: whether it outlives the run on purpose (`--keep`).
    """
    labels = {RUN: run_id, OWNER: str(Owner.current()), ROLE: role}
    labels |= {LEASE_S: f"{lease_s:g}"} if renewed else {LEASE: str(int(time.time() + lease_s))}
    return labels | ({KEPT: "1"} if kept else {})


def owner_is_dead(labels: Mapping[str, str], *, ended_here: bool = False) -> bool | None:
    """Whether a labelled thing of ours is dead for want of its owner; None where nobody can say.

    What `--keep` left on purpose is never dead. `ended_here`: see `Owner.is_dead`.
    """
    if labels.get(KEPT):
        return False
    owner = Owner.parse(labels.get(OWNER, ""))
    return owner.is_dead(ended_here=ended_here) if owner else None


def lease_is_over(labels: Mapping[str, str], state: str, since_s: float, now_s: float) -> bool:
    """Whether a thing whose owner is unknown is dead; all times by the engine's clock.

    Args:
        state: the engine's word for how a container stands; empty for what is no container.
        since_s: when it was made or, later, ended.
    """
    if state in {"paused", "removing"}:
        return False
    lease_s = _number(labels.get(LEASE_S, ""))
    if lease_s is not None:
        return state in OVER and now_s > since_s + lease_s
    return now_s > (_number(labels.get(LEASE, "")) or 0)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
