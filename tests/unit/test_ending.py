"""How a command ended, in the words that the model reads; and commands that no shell can take."""

import math
from dataclasses import replace

import pytest

from tools.docker_sh import LONGEST_COMMAND_BYTES, ShellArguments, check
from tools.ending import ending
from tools.errors import ToolRefusal
from tools.workspace.channels.channel import Execution, Limit
from tools.workspace.limits import Limits

LIMITS = Limits(memory_bytes=512 * 1024**2, pids=64, disk_bytes=3 * 1024**3)
DONE = Execution(exit_code=0, stdout=b"", stderr=b"", dropped_bytes=0, duration_s=1.0)


def words(**changes: int | bool | Limit | None) -> str:
    return ending(replace(DONE, **changes), 12.5, LIMITS)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "exit code 0"),
        (3, "exit code 3"),
        (127, "exit code 127 (command not found)"),
        (137, "exit code 137 (as after signal 9: SIGKILL, killed)"),
        (139, "exit code 139 (as after signal 11: SIGSEGV, segmentation fault)"),
        (128, "exit code 128"),
        (255, "exit code 255"),
    ],
)
def test_an_exit_code_is_said_with_its_meaning(code: int, text: str) -> None:
    assert words(exit_code=code) == text


def test_what_could_not_be_started_is_told_from_what_failed() -> None:
    assert words(exit_code=126).startswith("exit code 126 (could not be started")


def test_a_limit_says_its_number_and_what_to_do() -> None:
    text = words(exit_code=None, limit=Limit.TIME)
    assert text.startswith("timed out after 12.5 s; the command and everything it started")
    text = words(exit_code=None, limit=Limit.DISK)
    assert text.startswith("the disk limit of 3072 MB was exceeded; the command and everything")


def test_memory_that_was_exceeded_is_said_also_where_the_command_went_on() -> None:
    killed = "killed: the container's memory limit of 512 MB was exceeded"
    assert words(exit_code=137, oom_kills=1) == (
        f"exit code 137 (killed: out of memory)\n1 process was {killed}"
    )
    assert words(oom_kills=2) == f"exit code 0\n2 processes were {killed}"
    assert killed in words(exit_code=None, limit=Limit.TIME, oom_kills=1)


def test_other_limits_that_were_met_are_said() -> None:
    assert words(exit_code=1, refused_forks=3).splitlines()[1:] == [
        "3 processes were not started: the process limit of 64 was reached"
    ]
    assert words(dropped_bytes=7).splitlines()[1:] == [
        "7 bytes of output were not kept: more than may be"
    ]
    assert "earlier commands were ended" in words(background_ended=True)


@pytest.mark.parametrize("timeout_s", [0, -1, -math.inf, math.nan])
def test_no_time_is_refused(timeout_s: float) -> None:
    with pytest.raises(ToolRefusal, match=r"not run: timeout_s=.* leaves it no time"):
        check(ShellArguments(command="true", timeout_s=timeout_s))


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("#" * (LONGEST_COMMAND_BYTES + 1), "131072 bytes long"),
        ("é" * 10**6, "2000000 bytes long"),
    ],
)
def test_a_command_that_no_shell_can_be_given_is_refused(command: str, why: str) -> None:
    with pytest.raises(ToolRefusal, match=f"the command was not run: .*{why}"):
        check(ShellArguments(command=command))


def test_the_longest_command_is_taken() -> None:
    check(ShellArguments(command="#" * LONGEST_COMMAND_BYTES, timeout_s=1e9))
