"""What every channel keeps to, whatever carries it."""

import asyncio
import os
import time
from resource import RUSAGE_SELF, getrusage

import pytest

from tests.contract.commands import MB, sh
from tools.workspace.channels.channel import TAIL_BYTES, Channel, Command

pytestmark = pytest.mark.docker


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


async def test_hundred_megabytes_come_whole(channel: Channel) -> None:
    command = sh("head -c 100000000 /dev/zero", timeout_s=60, max_output_bytes=100 * MB)
    done = await channel.run(command)
    assert (done.exit_code, len(done.stdout), done.dropped_bytes) == (0, 100 * MB, 0)


async def test_gigabyte_is_cut_and_never_held(channel: Channel) -> None:
    before_kib = getrusage(RUSAGE_SELF).ru_maxrss
    command = sh("head -c 1000000000 /dev/zero; echo end", timeout_s=120, max_output_bytes=MB)
    done = await channel.run(command)
    assert (done.exit_code, done.stdout[-4:]) == (0, b"end\n")
    assert done.dropped_bytes == 999 * MB + len("end\n") - TAIL_BYTES
    assert getrusage(RUSAGE_SELF).ru_maxrss - before_kib < 64 * 1024


class Slow:
    """A sink that sees what goes through it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def write(self, source: str, chunk: bytes) -> None:
        self.seen.append((source, len(chunk)))

    def skip(self, source: str, size_bytes: int) -> None:
        self.seen.append((f"{source} skipped", size_bytes))


async def test_sink_gets_output_as_it_comes_and_is_told_of_the_gap(channel: Channel) -> None:
    sink = Slow()
    command = sh("echo first; sleep 1; head -c 2000000 /dev/zero", max_output_bytes=1000)
    running = asyncio.create_task(channel.run(command, sink))
    await asyncio.sleep(0.6)
    assert sink.seen == [("stdout", len("first\n"))]
    done = await running
    assert (done.stdout, done.stderr) == (b"", b"")
    gap = [size for source, size in sink.seen if source == "stdout skipped"]
    assert gap == [done.dropped_bytes] == [2 * MB + len("first\n") - 1000 - TAIL_BYTES]
    assert sum(size for source, size in sink.seen if source == "stdout") == 1000 + TAIL_BYTES


async def test_output_that_imitates_the_protocol_is_output(channel: Channel) -> None:
    frames = b"".join(
        bytes([4, 0, 0, 0, number, 0, 0, 0, kind]) + b"\0\0\0\0"
        for number in range(1, 9)
        for kind in range(1, 8)
    )
    engine_frame = b"\x01\0\0\0\0\0\0\x05hello"
    done = await channel.run(Command(("cat",), stdin=frames + engine_frame + b"\x10\x11\x04"))
    assert (done.exit_code, done.stdout) == (0, frames + engine_frame + b"\x10\x11\x04")


async def test_command_that_closes_its_descriptors_is_waited_for(channel: Channel) -> None:
    started = time.monotonic()
    done = await channel.run(sh("echo so far; exec <&- >&- 2>&-; sleep 0.5; exit 5"))
    assert (done.exit_code, done.stdout) == (5, b"so far\n")
    assert time.monotonic() - started >= 0.5


async def test_directory_that_was_deleted_is_126_and_its_own_deletion_no_harm(
    channel: Channel,
) -> None:
    made = await channel.run(sh("mkdir -p /tmp/gone && cd /tmp/gone && rmdir /tmp/gone && echo on"))
    assert made.stdout == b"on\n"
    assert (await channel.run(Command(("pwd",), cwd="/tmp/gone"))).exit_code == 126


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


async def test_thousand_commands_in_a_row_without_growth(channel: Channel, is_plain: bool) -> None:
    for number in range(100 if is_plain else 1000):
        done = await channel.run(sh('echo "$1"', str(number)))
        assert (done.exit_code, done.stdout) == (0, f"{number}\n".encode())
