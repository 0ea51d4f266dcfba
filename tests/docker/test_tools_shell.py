"""`docker_sh` and `read_output` in a real workspace."""

import time

import pytest

from tools.docker_sh import ShellArguments
from tools.errors import ToolRefusal
from tools.read_output import ReadArguments
from tools.tool import Answer
from tools.toolset import Toolset
from tools.workspace.container import remove
from tools.workspace.engine import Engine
from tools.workspace.faults import FaultKind, InfraFault
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
    assert f'read_output(handle="{answer.handle}")' in answer.text

    async def page(**options: int | str) -> list[str]:
        read = ReadArguments.model_validate({"handle": answer.handle, **options})
        return (await tools.read_output.call(read)).text.splitlines()

    first = await page()
    assert first[0] == f"{answer.handle}: lines 0 to 200 of 20000"
    assert (first[1], first[-1]) == ("0: line 0", "199: line 199")
    assert await page(start=10_000, lines=2) == [
        f"{answer.handle}: lines 10000 to 10002 of 20000",
        "10000: line 10000",
        "10001: line 10001",
    ]
    assert (await page(grep="^line 1999[89]$"))[1:] == ["19998: line 19998", "19999: line 19999"]
    assert (await page(grep="nowhere"))[0].endswith("of 0")


async def test_reading_what_is_not_there_is_refused(tools: Toolset) -> None:
    with pytest.raises(ToolRefusal, match="there is no output 'o1' \\(none\\)"):
        await tools.read_output.call(ReadArguments(handle="o1"))
    await sh(tools, "true")
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
