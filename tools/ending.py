"""How a command ended, in words."""

from tools.workspace.channels.channel import NOT_STARTED, Execution, Limit
from tools.workspace.limits import Limits

NOT_FOUND = 127
SIGNAL_BASE = 128
# Linux's numbers, whatever the host runs.
SIGNALS = {
    1: "SIGHUP, hang-up",
    2: "SIGINT, interrupted",
    3: "SIGQUIT",
    4: "SIGILL, illegal instruction",
    5: "SIGTRAP",
    6: "SIGABRT, aborted",
    7: "SIGBUS, bad memory access",
    8: "SIGFPE, arithmetic error",
    9: "SIGKILL, killed",
    10: "SIGUSR1",
    11: "SIGSEGV, segmentation fault",
    12: "SIGUSR2",
    13: "SIGPIPE, wrote to a pipe that nobody reads",
    14: "SIGALRM, alarm clock",
    15: "SIGTERM, terminated",
    24: "SIGXCPU, CPU time limit",
    25: "SIGXFSZ, file size limit",
    31: "SIGSYS, forbidden system call",
}
ALL_ENDED = "the command and everything it started were ended. Its output until then is below"


def ending(done: Execution, timeout_s: float, limits: Limits) -> str:
    """How a command ended and which limits it met, a line each."""
    return "\n".join([_end(done, timeout_s, limits), *limits_met(done, limits)])


def _end(done: Execution, timeout_s: float, limits: Limits) -> str:
    if done.limit is Limit.TIME:
        return (
            f"timed out after {timeout_s:g} s; {ALL_ENDED}; a longer timeout_s, or a smaller "
            "command, may help"
        )
    if done.limit is Limit.DISK:
        return (
            f"the disk limit of {_mb(limits.disk_bytes)} was exceeded; {ALL_ENDED}. Remove what "
            "is not needed, and write less"
        )
    return f"exit code {done.exit_code}{_meaning(done)}"


def _meaning(done: Execution) -> str:
    code = done.exit_code or 0
    if code == NOT_STARTED:
        return " (could not be started: not executable, or the working directory is gone)"
    if code == NOT_FOUND:
        return " (command not found)"
    if code == SIGNAL_BASE + 9 and done.oom_kills:
        return " (killed: out of memory)"
    signal = SIGNALS.get(code - SIGNAL_BASE)
    return f" (as after signal {code - SIGNAL_BASE}: {signal})" if signal else ""


def limits_met(done: Execution, limits: Limits) -> list[str]:
    """The limits that were met without ending the command, a line each."""
    met = []
    if done.oom_kills:
        met.append(
            f"{_times(done.oom_kills, 'process')} killed: the container's memory limit of "
            f"{_mb(limits.memory_bytes)} was exceeded"
        )
    if done.refused_forks:
        met.append(
            f"{_times(done.refused_forks, 'process')} not started: the process limit of "
            f"{limits.pids} was reached"
        )
    if done.background_ended:
        met.append("background processes of earlier commands were ended to make room for this one")
    if done.dropped_bytes:
        met.append(f"{done.dropped_bytes} bytes of output were not kept: more than may be")
    return met


def _times(count: int, noun: str) -> str:
    return f"1 {noun} was" if count == 1 else f"{count} {noun}es were"


def _mb(size_bytes: int) -> str:
    return f"{size_bytes // 1024**2} MB"
