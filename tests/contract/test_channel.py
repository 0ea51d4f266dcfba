"""What every channel keeps to, whatever carries it."""

import asyncio
import os
import time
from collections.abc import Callable

import pytest

from tools.workspace.channel import TAIL_BYTES, Channel, Command
from tools.workspace.container import Container, remove
from tools.workspace.engine import Engine
from tools.workspace.exec_channel import ExecChannel
from tools.workspace.faults import FaultKind, InfraFault

pytestmark = pytest.mark.docker

MB = 1_000_000
IMPLEMENTATIONS: dict[str, Callable[[Engine, str], Channel]] = {
    "exec": lambda engine, id_: ExecChannel(engine.docker.containers.container(id_)),
}


@pytest.fixture(params=IMPLEMENTATIONS)
async def channel(request: pytest.FixtureRequest, engine: Engine, container: Container) -> Channel:
    return IMPLEMENTATIONS[request.param](engine, container.id)


def sh(script: str, *args: str, timeout_s: float = 20.0, **options: int | bytes) -> Command:
    argv = ("/bin/sh", "-c", script, "sh", *args)
    return Command(argv, timeout_s=timeout_s, **options)  # type: ignore[arg-type]


async def command_lines(channel: Channel) -> str:
    """Every process of the container, whoever started it."""
    listed = await channel.run(sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))
    return listed.stdout.decode()


@pytest.mark.parametrize("code", [0, 1, 3, 125, 255])
async def test_exit_code_is_the_commands(channel: Channel, code: int) -> None:
    done = await channel.run(sh(f"exit {code}"))
    assert (done.exit_code, done.ok, done.timed_out) == (code, code == 0, False)


@pytest.mark.parametrize("stdin", [b"", b"something"])
@pytest.mark.parametrize("number", [1, 6, 9, 11, 15])
async def test_signal_is_128_and_its_number(channel: Channel, number: int, stdin: bytes) -> None:
    done = await channel.run(sh(f"kill -{number} $$", stdin=stdin))
    assert done.exit_code == 128 + number


async def test_program_that_is_not_there_is_127(channel: Channel) -> None:
    done = await channel.run(Command(("no-such-program",)))
    assert done.exit_code == 127
    assert b"no-such-program" in done.stderr


async def test_directory_that_is_not_there_is_126_and_runs_nothing(channel: Channel) -> None:
    done = await channel.run(Command(("echo", "ran"), cwd="/no/such/directory"))
    assert done.exit_code == 126
    assert done.stdout == b""
    assert b"/no/such/directory" in done.stderr


async def test_streams_are_separate(channel: Channel) -> None:
    done = await channel.run(sh("echo out; echo err >&2; echo out again"))
    assert done.stdout == b"out\nout again\n"
    assert done.stderr == b"err\n"


async def test_output_is_bytes(channel: Channel) -> None:
    script = "printf '\\377\\000\\200\\r\\n'; printf '\\376' >&2"
    done = await channel.run(sh(script))
    assert done.stdout == b"\xff\x00\x80\r\n"
    assert done.stderr == b"\xfe"


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"no newline at the end", b"\0\0\n\0", b"\x04\x03\x1a", os.urandom(5 * MB)],
    ids=["nothing", "one-byte", "no-newline", "nul", "control", "5MB"],
)
async def test_stdin_arrives_as_given_and_ends(channel: Channel, content: bytes) -> None:
    done = await channel.run(Command(("cat",), stdin=content, timeout_s=20))
    assert done.exit_code == 0
    assert done.stdout == content


async def test_stdin_that_nobody_reads_is_no_fault(channel: Channel) -> None:
    done = await channel.run(sh("echo done; exit 4", stdin=b"x" * 5 * MB))
    assert done.exit_code == 4
    assert done.stdout == b"done\n"


async def test_argv_is_passed_untouched(channel: Channel) -> None:
    odd = ("", " ", "a\nb", "it's", '"', "$HOME `id` $(id)", "\\", "*", "-n", "ünï ☃", "\t;&|<>")
    script = "import sys; sys.stdout.write('\\0'.join(sys.argv[1:]))"
    done = await channel.run(Command(("python3", "-c", script, *odd)))
    assert done.stdout.decode().split("\0") == list(odd)


async def test_environment_is_added(channel: Channel) -> None:
    env = {"ODD": "a=b\nc 'd' \"e\" $HOME", "EMPTY": "", "UNI": "☃"}
    script = "import os; print(ascii([os.environ[n] for n in ('ODD', 'EMPTY', 'UNI')]))"
    done = await channel.run(Command(("python3", "-c", script), env=env | {"LC_ALL": "C.UTF-8"}))
    assert done.stdout.decode().strip() == ascii(list(env.values()))


async def test_directory_is_the_commands(channel: Channel) -> None:
    done = await channel.run(Command(("pwd",), cwd="/usr/lib"))
    assert done.stdout == b"/usr/lib\n"


async def test_large_output_comes_whole_below_the_limit(channel: Channel) -> None:
    done = await channel.run(sh("head -c 5000000 /dev/zero", max_output_bytes=5 * MB))
    assert (len(done.stdout), done.dropped_bytes) == (5 * MB, 0)


async def test_output_past_the_limit_is_counted_and_the_command_ends(channel: Channel) -> None:
    script = "head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2; echo late >&2; exit 7"
    done = await channel.run(sh(script, max_output_bytes=1 * MB))
    assert done.exit_code == 7
    assert len(done.stdout) == 1 * MB + TAIL_BYTES
    assert len(done.stderr) == TAIL_BYTES
    assert done.stderr.endswith(b"\0late\n")
    assert done.dropped_bytes == 4 * MB + len("late\n") - 2 * TAIL_BYTES


async def test_command_that_never_stops_writing_is_ended_in_time(channel: Channel) -> None:
    started = time.monotonic()
    done = await channel.run(Command(("yes",), timeout_s=1, max_output_bytes=1 * MB))
    assert time.monotonic() - started < 3
    assert done.timed_out
    assert len(done.stdout) == 1 * MB + TAIL_BYTES
    assert done.dropped_bytes > 0


async def test_timed_out_command_keeps_its_output(channel: Channel) -> None:
    started = time.monotonic()
    done = await channel.run(sh("echo begun; echo so >&2; sleep 60; echo never", timeout_s=1))
    assert time.monotonic() - started < 3
    assert (done.exit_code, done.timed_out, done.ok) == (None, True, False)
    assert (done.stdout, done.stderr) == (b"begun\n", b"so\n")
    assert 1 <= done.duration_s < 3


@pytest.mark.parametrize(
    "script",
    [
        "sleep 4711",
        "sleep 4711 & sleep 4711 & wait",
        "setsid sleep 4711 & sleep 4711",
        "(setsid sh -c 'sleep 4711 & sleep 4711 &' >/dev/null 2>&1 &) ; sleep 4711",
        "trap '' TERM INT HUP; nohup setsid sleep 4711 >/dev/null 2>&1 & sleep 4711",
        "sh -c 'kill -STOP $$' 4711 & sleep 4711",
        "env -i sleep 4711",
    ],
    ids=["plain", "background", "setsid", "daemon", "deaf", "stopped", "bare-environment"],
)
async def test_timed_out_command_leaves_no_process(channel: Channel, script: str) -> None:
    done = await channel.run(sh(script, timeout_s=1))
    assert done.timed_out
    assert "4711" not in await command_lines(channel)
    assert (await channel.run(sh("echo alive"))).stdout == b"alive\n"


async def test_timed_out_command_leaves_others_alone(channel: Channel) -> None:
    async with asyncio.TaskGroup() as group:
        other = group.create_task(channel.run(sh("sleep 2.5; echo finished")))
        late = group.create_task(channel.run(sh("sleep 60", timeout_s=1)))
    assert late.result().timed_out
    assert other.result().stdout == b"finished\n"


async def test_background_process_outlives_a_command_that_ended(channel: Channel) -> None:
    started = time.monotonic()
    done = await channel.run(sh("sleep 4711 >/dev/null 2>&1 & echo started"))
    assert time.monotonic() - started < 2
    assert done.stdout == b"started\n"
    assert "sleep 4711" in await command_lines(channel)


async def test_background_process_that_holds_the_streams_keeps_nobody_waiting(
    channel: Channel,
) -> None:
    started = time.monotonic()
    done = await channel.run(sh("sleep 4711 & echo started", timeout_s=5))
    assert (done.exit_code, done.stdout) == (0, b"started\n")
    assert time.monotonic() - started < 4
    assert "sleep 4711" in await command_lines(channel)


async def test_command_that_kills_its_own_shell_harms_nothing_else(channel: Channel) -> None:
    assert (await channel.run(sh("kill -9 $PPID; kill -9 $$"))).exit_code == 137
    assert (await channel.run(sh("echo alive"))).stdout == b"alive\n"


async def test_command_that_kills_all_it_can_leaves_the_container(channel: Channel) -> None:
    done = await channel.run(sh("trap '' TERM; kill -TERM -1; kill -9 1; kill -9 -1; kill -9 $$"))
    assert done.exit_code in {0, 137}
    assert (await channel.run(sh("echo alive"))).stdout == b"alive\n"


async def test_orphans_are_reaped(channel: Channel) -> None:
    await channel.run(sh("for i in 1 2 3 4 5; do (sleep 0.05 &) ; done; sleep 0.3"))
    states = await channel.run(sh("grep -h ^State: /proc/[0-9]*/status"))
    assert b"zombie" not in states.stdout


async def test_commands_side_by_side_do_not_mix(channel: Channel) -> None:
    script = 'for i in 1 2 3 4 5; do echo "$1"; echo "$1" >&2; done; cat; exit "$1"'
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(channel.run(sh(script, str(n), stdin=f"in {n}".encode())))
            for n in range(10)
        ]
    for number, task in enumerate(tasks):
        done = task.result()
        assert done.exit_code == number
        assert done.stdout == f"{number}\n".encode() * 5 + f"in {number}".encode()
        assert done.stderr == f"{number}\n".encode() * 5


async def test_cancellation_is_passed_on_at_once_and_ends_the_command(channel: Channel) -> None:
    task = asyncio.create_task(channel.run(sh("sleep 4711", timeout_s=120)))
    await asyncio.sleep(0.5)
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - started < 1
    assert "4711" not in await command_lines(channel)


async def test_container_removed_under_a_command_is_a_fault(
    channel: Channel, engine: Engine, container: Container
) -> None:
    task = asyncio.create_task(channel.run(sh("sleep 60", timeout_s=120)))
    await asyncio.sleep(0.5)
    await remove(engine, container.id)
    with pytest.raises(InfraFault) as caught:
        async with asyncio.timeout(10):
            await task
    assert caught.value.kind is FaultKind.CONTAINER_LOST


async def test_command_in_a_container_that_is_gone_is_a_fault(
    channel: Channel, engine: Engine, container: Container
) -> None:
    await remove(engine, container.id)
    with pytest.raises(InfraFault) as caught:
        await channel.run(sh("true"))
    assert caught.value.kind is FaultKind.CONTAINER_LOST


async def test_two_hundred_commands_in_a_row(channel: Channel) -> None:
    for number in range(200):
        done = await channel.run(sh('echo "$1"', str(number)))
        assert (done.exit_code, done.stdout) == (0, f"{number}\n".encode())
