"""`docker_sh` and `read_output` in a real workspace."""

import asyncio
import time

import pytest

from tools.docker_sh import LONGEST_COMMAND_BYTES, ShellArguments
from tools.errors import ToolRefusal
from tools.read_output import ReadArguments
from tools.tool import Answer
from tools.toolset import Toolset
from tools.workspace.engine import Engine
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.start import remove
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker


async def sh(tools: Toolset, command: str, timeout_s: float = 20) -> Answer:
    return await tools.shell.call(ShellArguments(command=command, timeout_s=timeout_s))


async def test_output_and_exit_code(tools: Toolset) -> None:
    answer = await sh(tools, "pwd; echo oops >&2; exit 3")
    assert answer.exit_code == 3
    assert answer.text == "exit code 3\n/testbed\n--- stderr ---\noops\n".rstrip("\n")
    assert not answer.is_error


async def test_command_that_says_nothing(tools: Toolset) -> None:
    assert (await sh(tools, "true")).text == "exit code 0\n(no output)"


async def test_shell_is_bash_in_the_projects_environment(tools: Toolset) -> None:
    answer = await sh(tools, "[[ a == a ]] && python -c 'import numpy, sys; print(sys.prefix)'")
    assert answer.text.endswith("/opt/venv")


async def test_files_and_background_processes_stay(tools: Toolset) -> None:
    await sh(tools, "echo kept > note; sleep 4711 >/dev/null 2>&1 &")
    answer = await sh(tools, "cat note; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "kept" in answer.text
    assert "sleep 4711" in answer.text


async def test_timed_out_command_says_so_and_shows_what_it_wrote(tools: Toolset) -> None:
    started = time.monotonic()
    answer = await sh(tools, "echo begun; sleep 60", timeout_s=1)
    assert time.monotonic() - started < 4
    assert answer.is_error
    assert answer.exit_code is None
    assert "timed out after 1 s" in answer.text
    assert answer.text.endswith("begun")


async def test_there_is_no_network(tools: Toolset) -> None:
    answer = await sh(
        tools, "python -c 'import socket; socket.create_connection((\"1.1.1.1\", 80))'"
    )
    assert answer.exit_code == 1
    assert "Network is unreachable" in answer.text


async def test_shell_that_kills_itself_is_text(tools: Toolset) -> None:
    assert (await sh(tools, "kill -9 $$")).exit_code == 137
    assert (await sh(tools, "kill -9 -1; kill -9 1; echo still")).exit_code in {0, 137}
    assert (await sh(tools, "echo alive")).text.endswith("alive")


async def test_memory_the_agent_used_up_is_text(tools: Toolset) -> None:
    answer = await sh(tools, "ulimit -v 500000; python -c 'x = bytearray(10**9)'")
    assert answer.exit_code == 1
    assert "MemoryError" in answer.text


async def test_container_that_is_gone_is_no_text(
    tools: Toolset, workspace: Workspace, engine: Engine
) -> None:
    await remove(engine, workspace.container.id)
    with pytest.raises(InfraFault) as caught:
        await sh(tools, "true")
    assert caught.value.kind is FaultKind.CONTAINER_LOST


async def test_long_output_shows_head_and_tail_and_how_to_read_on(tools: Toolset) -> None:
    answer = await sh(tools, "seq -f 'line %g' 0 19999")
    lines = answer.text.splitlines()
    assert lines[1] == "line 0"
    assert lines[-1] == "line 19999"
    assert len(answer.text) < 11_000
    assert answer.handle is not None
    assert f'read_output(handle="{answer.handle}", start=' in answer.text

    async def page(**options: int | str) -> list[str]:
        read = ReadArguments.model_validate({"handle": answer.handle, **options})
        return (await tools.read_output.call(read)).text.splitlines()

    first = await page()
    assert first[0] == f"{answer.handle}: lines 0 to 199 of 20000; start=200 continues"
    assert (first[1], first[-1]) == ("0: line 0", "199: line 199")
    assert await page(start=10_000, lines=2) == [
        f"{answer.handle}: lines 10000 to 10001 of 20000; start=10002 continues",
        "10000: line 10000",
        "10001: line 10001",
    ]
    assert (await page(grep="^line 1999[89]$"))[1:] == ["19998: line 19998", "19999: line 19999"]
    assert await page(grep="nowhere") == [
        f"{answer.handle}: none of lines 0 to 19999 matches 'nowhere'"
    ]


async def test_reading_what_is_not_there_is_refused(tools: Toolset) -> None:
    with pytest.raises(ToolRefusal, match="there is no output 'o1' \\(none\\)"):
        await tools.read_output.call(ReadArguments(handle="o1"))
    await sh(tools, "echo a")
    for handle in ("o2", "../o1", "", "o01"):
        with pytest.raises(ToolRefusal, match="there is no output"):
            await tools.read_output.call(ReadArguments(handle=handle))
    with pytest.raises(ToolRefusal, match="not a regular expression"):
        await tools.read_output.call(ReadArguments(handle="o1", grep="("))


async def test_bytes_that_are_no_text_are_shown_all_the_same(tools: Toolset) -> None:
    answer = await sh(tools, "printf '\\377\\033[31mred\\033[0m\\n'")
    assert answer.text == "exit code 0\n\ufffdred"
    assert answer.handle is not None
    assert tools.shell.outputs.path(answer.handle).read_bytes() == b"\xff\x1b[31mred\x1b[0m\n"


async def test_the_longest_command_runs_and_a_longer_one_is_refused(tools: Toolset) -> None:
    answer = await sh(tools, "echo ran #".ljust(LONGEST_COMMAND_BYTES, "x"))
    assert answer.text == "exit code 0\nran"
    with pytest.raises(ToolRefusal, match="the command was not run"):
        await sh(tools, "echo ran #".ljust(LONGEST_COMMAND_BYTES + 1, "x"))


async def test_more_than_is_kept_says_so_in_the_file_and_in_the_answer(tools: Toolset) -> None:
    tools.shell.outputs.output_bytes = 1_000_000
    answer = await sh(tools, "seq 1000000; echo end >&2")
    size_bytes = sum(len(f"{number}\n") for number in range(1, 1_000_001))
    assert answer.handle is not None
    content = tools.shell.outputs.path(answer.handle).read_bytes()
    head, note, tail = content.partition(b" bytes of output left out here: more than is kept]\n")
    assert note
    dropped_bytes = int(head.rpartition(b"[")[2])
    assert f"{dropped_bytes} bytes of output were not kept" in answer.text
    assert head.startswith(b"1\n2\n")
    assert tail.endswith(b"999999\n1000000\n--- stderr ---\nend\n")
    assert 1_000_000 < len(content) < 1_200_000
    assert size_bytes - 1_200_000 < dropped_bytes < size_bytes - 1_000_000
    assert answer.text.endswith("--- stderr ---\nend")


async def test_a_host_disk_that_is_full_is_no_text(tools: Toolset) -> None:
    tools.shell.outputs.path("o1").symlink_to("/dev/full")
    with pytest.raises(InfraFault) as caught:
        await sh(tools, "echo a; sleep 5; echo b")
    assert caught.value.kind is FaultKind.HOST_DISK_FULL


async def test_what_is_cut_short_leaves_what_it_wrote(tools: Toolset) -> None:
    running = asyncio.create_task(sh(tools, "echo begun; sleep 60"))
    file = tools.shell.outputs.path("o1")
    while not (file.exists() and file.read_bytes()):  # noqa: ASYNC110 - a file tells nobody
        await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert file.read_bytes() == b"begun\n"
    read = ReadArguments(handle="o1")
    assert (await tools.read_output.call(read)).text.splitlines()[1:] == ["0: begun"]


async def test_more_time_than_there_may_be_is_taken_as_the_most(tools: Toolset) -> None:
    assert (await sh(tools, "echo ran", timeout_s=1e9)).text == "exit code 0\nran"


async def test_signals_are_said_in_words(tools: Toolset) -> None:
    answer = await sh(tools, "kill -SEGV $$")
    assert answer.exit_code == 139
    assert answer.text.startswith("exit code 139 (as after signal 11: SIGSEGV, segmentation fault)")
