"""Reading outputs back: pages, searches, and what cannot be had."""

import asyncio
import os
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_outputs import CONTENT
from tools.errors import ToolRefusal
from tools.outputs import grep, grep_process
from tools.outputs.display import display
from tools.outputs.excerpt import SHOWN_CHARS
from tools.outputs.store import Outputs
from tools.read_output import ReadArguments, ReadOutput
from tools.tool import Answer
from tools.workbench import TaskWorkbench

HEAD = re.compile(r"o1: lines (\d+) to (\d+) of (\d+)(?:; start=(\d+) continues)?")
FOUND = re.compile(r"o1: (\d+) of (\d+) lines that match .*?(?:; start=(\d+) continues)?")
PATTERNS = ["a", "^a", "b?c$", "^$", r"\s", "[^b]*c", "(?!a)b", r"\Aa", r"a\Z", "\ufffd", "é|😀"]


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    return Outputs(tmp_path)


async def read(outputs: Outputs, **given: int | str) -> Answer:
    arguments = ReadArguments.model_validate({"handle": "o1", **given})
    return await ReadOutput(outputs).call(arguments)


async def text(outputs: Outputs, **given: int | str) -> list[str]:
    answer = await read(outputs, **given)
    assert len(answer.text) <= SHOWN_CHARS
    assert answer.handle == "o1"
    return answer.text.split("\n")


async def every_page(outputs: Outputs, **given: int | str) -> list[str]:
    """The lines of all pages, each begun where the one before says."""
    shown: list[str] = []
    start: str | None = "0"
    while start is not None:
        head, *page = await text(outputs, start=start, **given)
        matched = (FOUND if "grep" in given else HEAD).fullmatch(head)
        assert matched, head
        start = matched[matched.lastindex or 1] if head.endswith(" continues") else None
        shown += page
        assert page, "a page that says how to go on shows something"
    return shown


@settings(deadline=None)
@given(content=CONTENT, repeat=st.integers(1, 30), lines=st.integers(1, 40))
def test_all_pages_together_have_each_line_once(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, repeat: int, lines: int
) -> None:
    content = content * repeat + b"."
    outputs = Outputs(tmp_path_factory.mktemp("outputs"))
    outputs.save(content)
    pages = asyncio.run(every_page(outputs, lines=lines))
    assert pages == [f"{number}: {line}" for number, line in enumerate(display(content))]


async def test_pages_end_where_the_budget_does(outputs: Outputs) -> None:
    outputs.save(b"".join(b"%d %s\n" % (number, b"x" * 90) for number in range(5000)))
    pages = await every_page(outputs, lines=1000)
    assert pages == [f"{number}: {number} {'x' * 90}" for number in range(5000)]


@settings(deadline=None)
@given(
    content=CONTENT, repeat=st.integers(1, 20), pattern=st.sampled_from(PATTERNS),
    start=st.integers(0, 20), chunk_bytes=st.integers(1, 50),
)  # fmt: skip
def test_a_search_finds_what_looking_at_each_line_finds(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, repeat: int, pattern: str, start: int,
    chunk_bytes: int,
) -> None:  # fmt: skip
    content = content * repeat + b"."
    seen = display(content)
    start = min(start, len(seen) - 1)
    file = tmp_path_factory.mktemp("file") / "o1.txt"
    file.write_bytes(content)
    offset = sum(len(line) + 1 for line in content.split(b"\n")[:start])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(grep_process, "CHUNK_BYTES", chunk_bytes)
        said = list(grep_process.search(str(file), pattern, offset, start, 10**6, 10**6, 10**6))
    naive = [
        (number, line) for number, line in enumerate(seen)
        if number >= start and re.search(pattern, line)
    ]  # fmt: skip
    assert [(each["at"], each["text"]) for each in said if "text" in each] == naive
    assert said[-1] == {"at": len(seen), "matches": len(naive), "after": None, "cut_lines": 0}


async def test_matches_have_the_numbers_of_the_file_and_go_on(outputs: Outputs) -> None:
    outputs.save(b"".join(b"%d\n" % number for number in range(1000)))
    assert await text(outputs, grep="7$", lines=3) == [
        "o1: 3 of 100 lines that match '7$'; start=37 continues", "7: 7", "17: 17", "27: 27",
    ]  # fmt: skip
    assert await text(outputs, grep="7$", start=37, lines=2) == [
        "o1: 2 of 97 lines that match '7$' from line 37 on; start=57 continues", "37: 37", "47: 47",
    ]  # fmt: skip
    assert await text(outputs, grep="^99[0-9]") == [
        "o1: 10 of 10 lines that match '^99[0-9]'", *(f"{n}: {n}" for n in range(990, 1000)),
    ]  # fmt: skip


async def test_matches_end_where_the_budget_does(outputs: Outputs) -> None:
    outputs.save(b"".join(b"%d %s\n" % (number, b"x" * 90) for number in range(300)))
    matches = await every_page(outputs, grep="x", lines=1000)
    assert matches == [f"{number}: {number} {'x' * 90}" for number in range(300)]


async def test_a_search_without_a_match_says_where_it_looked(outputs: Outputs) -> None:
    outputs.save(b"a\nb\nc")
    assert await text(outputs, grep="x") == ["o1: none of lines 0 to 2 matches 'x'"]
    assert await text(outputs, grep="a", start=1) == ["o1: none of lines 1 to 2 matches 'a'"]


async def test_a_long_line_is_cut_and_a_match_in_it_is_shown(outputs: Outputs) -> None:
    outputs.save(b"x" * 3_000_000 + b"needle" + b"x" * 2_000_000 + b"\nlast\n")
    head, line, last = await text(outputs)
    assert head == "o1: lines 0 to 1 of 2"
    assert line.startswith("0: xxx")
    assert line.endswith("[cut: the line has 5000006 bytes]")
    assert last == "1: last"
    assert len((await text(outputs, lines=1))[1]) > 8000
    head, found = await text(outputs, grep="needle")
    assert head == "o1: 1 of 1 lines that match 'needle'"
    assert re.match(r"0: \[characters 29\d+ to 30\d+ of 5000006:\] x+needlex+$", found)


async def test_of_an_enormous_line_the_beginning_is_searched(
    outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grep_process, "CHUNK_BYTES", 10)
    monkeypatch.setattr(grep_process, "LONGEST_LINE_BYTES", 30)
    handle = outputs.save(b"a" * 25 + b"b" + b"a" * 60 + b"c\nc\n" + b"d" * 99)
    path = str(outputs.path(handle))

    def matches(pattern: str) -> list[object]:
        said = list(grep_process.search(path, pattern, 0, 0, 9, 999, 999))
        assert said[-1]["cut_lines"] == 2
        assert said[-1]["at"] == 3
        return [each["at"] for each in said if "text" in each]

    assert [matches(pattern) for pattern in ("b", "c", "d")] == [[0], [1], [2]]


async def test_a_pattern_that_never_ends_is_text_and_blocks_nobody(
    outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grep, "STUCK_S", 0.5)
    outputs.save(b"a" * 60 + b"!\n")
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    beating = asyncio.create_task(beat())
    started_s = time.monotonic()
    answer = await read(outputs, grep="(a+)+$")
    beating.cancel()
    assert answer.is_error
    assert "was given up: it takes too long" in answer.text
    assert time.monotonic() - started_s < 5
    assert beats > 10


async def test_a_cancelled_search_leaves_no_process(outputs: Outputs) -> None:
    outputs.save(b"a" * 60 + b"!\n")
    searching = asyncio.create_task(read(outputs, grep="(a+)+$"))
    while not (children := searchers()):  # noqa: ASYNC110 - a process tells nobody
        await asyncio.sleep(0.01)
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
    assert not children & searchers()


def searchers() -> set[str]:
    """Search processes of this one."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            stat = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()
            if stat[1] == str(os.getpid()) and b"grep_process" in (entry / "cmdline").read_bytes():
                found.add(entry.name)
    return found


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("(", "missing \\)"), ("[", "unterminated"), ("(" * 5000 + ")" * 5000, "recursion")],
)
async def test_what_is_no_pattern_is_refused(outputs: Outputs, pattern: str, why: str) -> None:
    outputs.save(b"a")
    with pytest.raises(ToolRefusal, match=f"not a regular expression: .*{why}"):
        await read(outputs, grep=pattern)


async def test_a_long_pattern_is_one(outputs: Outputs) -> None:
    outputs.save(b"a")
    assert (await text(outputs, grep="a" * 300_000))[0].startswith(
        "o1: none of lines 0 to 0 matches"
    )


async def test_binary_output_can_be_searched(outputs: Outputs) -> None:
    outputs.save(bytes(range(256)) * 3)
    head, *lines = await text(outputs, grep="abc")
    assert head == "o1: 3 of 3 lines that match 'abc'"
    assert [line.partition(":")[0] for line in lines] == ["1", "2", "3"]


async def test_starts_that_are_odd(outputs: Outputs) -> None:
    outputs.save(b"a\nb\nc\n")
    assert await text(outputs, start=-2) == ["o1: lines 1 to 2 of 3", "1: b", "2: c"]
    assert (await text(outputs, start=-(10**30)))[0] == "o1: lines 0 to 2 of 3"
    assert (await text(outputs, start=0, lines=10**30))[0] == "o1: lines 0 to 2 of 3"
    for start in (3, 10**30):
        with pytest.raises(ToolRefusal, match="has 3 lines, 0 to 2: there is none at start="):
            await read(outputs, start=start)


async def test_an_empty_output_says_so(outputs: Outputs) -> None:
    outputs.save(b"")
    for options in ({}, {"start": 5}, {"grep": "x"}):
        assert await text(outputs, **options) == ["o1 is empty: the command printed nothing"]


async def test_wrong_arguments_are_answered_with_text(outputs: Outputs) -> None:
    async def ready() -> None:
        """Nothing to wait for."""

    bench = TaskWorkbench([ReadOutput(outputs).tool()], ready)
    for arguments in ({"handle": "o1", "lines": 0}, {"handle": "o1", "start": 0.5}, {}):
        result = await bench.call_tool("read_output", arguments)
        assert result.is_error
        assert "read_output was not called: " in result.to_text()
    assert (
        "there is no output 'o1' (none)"
        in (await bench.call_tool("read_output", {"handle": "o1"})).to_text()
    )
