"""What is kept of a command's output, and what the model sees of it."""

import errno
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.outputs.capture import Capture
from tools.outputs.display import display
from tools.outputs.excerpt import excerpt
from tools.outputs.lines import BLOCK_BYTES, LineIndex, Lines, OpenLines
from tools.outputs.store import Outputs
from tools.workspace.channel import TAIL_BYTES, Source
from tools.workspace.faults import FaultKind, InfraFault

SOURCES: tuple[Source, ...] = ("stdout", "stderr")
Step = tuple[Source, bytes | int]
# Bytes of which most mean something to what reads them.
PIECES = st.sampled_from(
    [b"a", b"bc", b"\n", b"\n\n", b"\r", b"\r\n", b"\xff", "é".encode(), "😀".encode(), b"\x1b[31m",
     b"\x1b[K", b"\x9b", b"\xc2\x9b", b"\0", b" "]
)  # fmt: skip
CONTENT = st.lists(PIECES, max_size=60).map(b"".join)
STEPS = st.lists(
    st.tuples(st.sampled_from(SOURCES), st.one_of(CONTENT, st.integers(1, 10**9))), max_size=12
)
ONE_LINE = r"\[\d+ bytes of line \d+ left out; .*\]"
MORE_LINES = (
    r"\[lines (\d+) to (\d+) of (\d+) left out(, the outermost in part)?: (\d+) lines, .*\]"
)
NOTE = re.compile(f"{ONE_LINE}|{MORE_LINES}")


def kept(outputs: Outputs, *steps: Step) -> str:
    with outputs.capture() as capture:
        for source, what in steps:
            if isinstance(what, bytes):
                capture.write(source, what)
            else:
                capture.skip(source, what)
    return capture.handle


def expected(steps: list[Step], source: Source) -> bytes:
    """A stream with a line for each part that was skipped."""
    content = b""
    for _, what in (step for step in steps if step[0] == source):
        if isinstance(what, bytes):
            content += what
        else:
            glue = b"\n" if content and not content.endswith(b"\n") else b""
            note = f"[{what} bytes of output left out here: more than is kept]\n"
            content += glue + note.encode()
    return content


@settings(deadline=None)
@given(steps=STEPS)
def test_the_file_is_stdout_then_stderr_with_a_note_at_each_gap(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    outputs = Outputs(tmp_path_factory.mktemp("outputs"))
    handle = kept(outputs, *steps)
    out, err = (expected(steps, source) for source in SOURCES)
    if out and err:
        out += (b"" if out.endswith(b"\n") else b"\n") + b"--- stderr ---\n"
    content = outputs.path(handle).read_bytes()
    assert content == out + err
    lines = outputs.lines(handle)
    assert lines is not None
    assert lines.index == OpenLines.of_bytes(content).index
    assert [path.name for path in outputs.directory.iterdir()] == ["o1.txt"]


def test_long_stderr_is_whole_below_stdout(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path)
    chunk = b"warning\n" * 8192
    handle = kept(outputs, *[("stderr", chunk)] * 40, ("stdout", b"done"))
    assert outputs.path(handle).read_bytes() == b"done\n--- stderr ---\n" + chunk * 40


def test_handles_count_and_name_files(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path)
    assert (outputs.save(b"a"), kept(outputs), outputs.save(b"b")) == ("o1", "o2", "o3")
    assert (tmp_path / "o3.txt").read_bytes() == b"b"
    assert outputs.lines("o4") is None


def test_output_is_on_disk_as_it_comes(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path)
    with outputs.capture() as capture:
        capture.write("stdout", b"first")
        assert outputs.path(capture.handle).read_bytes() == b"first"


def test_what_is_cancelled_leaves_a_readable_file_and_takes_no_more(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path)
    captures: list[Capture] = []

    def interrupted() -> None:
        with outputs.capture() as capture:
            captures.append(capture)
            capture.write("stdout", b"out")
            capture.write("stderr", b"err")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    captures[0].write("stdout", b"late")
    captures[0].skip("stderr", 5)
    assert outputs.path("o1").read_bytes() == b"out\n--- stderr ---\nerr"
    assert outputs.shown("o1") == "out\n--- stderr ---\nerr"
    assert [path.name for path in tmp_path.iterdir()] == ["o1.txt"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_full_disk_of_the_host_is_a_fault_of_the_world(tmp_path: Path, source: Source) -> None:
    outputs = Outputs(tmp_path)
    outputs.path("o1").symlink_to("/dev/full")
    with pytest.raises(InfraFault) as caught:
        kept(outputs, (source, b"x"))
    assert caught.value.kind is FaultKind.HOST_DISK_FULL
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC


def test_a_directory_that_is_gone_is_a_fault_of_the_world(tmp_path: Path) -> None:
    with pytest.raises(InfraFault) as caught:
        Outputs(tmp_path / "gone").save(b"x")
    assert caught.value.kind is FaultKind.HOST_DISK_FULL


def test_what_is_at_hand_and_too_long_is_kept_at_both_ends(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path, output_bytes=TAIL_BYTES)
    content = bytes(range(256)) * 1024
    left = len(content) - 2 * TAIL_BYTES
    handle = outputs.save(content)
    note = f"\n[{left} bytes of output left out here: more than is kept]\n".encode()
    assert outputs.path(handle).read_bytes() == content[:TAIL_BYTES] + note + content[-TAIL_BYTES:]
    handle = outputs.save(content[: TAIL_BYTES + 1])
    assert outputs.path(handle).read_bytes() == content[: TAIL_BYTES + 1]


def test_an_episode_keeps_so_much_and_then_only_the_ends(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path, output_bytes=300_000, episode_bytes=500_000)
    limits = []
    for _ in range(4):
        with outputs.capture() as capture:
            limits.append(capture.limit_bytes)
            capture.write("stdout", b"x" * capture.limit_bytes)
    assert limits == [300_000, 200_000, TAIL_BYTES, TAIL_BYTES]


@settings(deadline=None)
@given(content=CONTENT, repeat=st.integers(1, 400), cuts=st.lists(st.integers(1, 5000), max_size=8))
def test_lines_are_found_by_number(content: bytes, repeat: int, cuts: list[int]) -> None:
    content = content * repeat + b"x" * (BLOCK_BYTES - 5) + b"\n" + content
    index = LineIndex()
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(content)], strict=True):
        index.add(content[begin:end])
    lines = content.removesuffix(b"\n").split(b"\n")
    file = OpenLines(lambda begin, end: content[begin:end], index)
    assert index.count == len(lines)
    for number in {0, 1, len(lines) // 2, len(lines) - 2, len(lines) - 1} & set(range(len(lines))):
        assert file.line(number) == ("".join(display(lines[number])), len(lines[number]))
    assert file.offset(len(lines)) == len(content)


@settings(deadline=None)
@given(content=CONTENT)
def test_lines_are_seen_alike_one_by_one_and_all_together(content: bytes) -> None:
    one_by_one = [
        "".join(display(line)) for line in content.removesuffix(b"\n").split(b"\n") if content
    ]
    assert display(content) == one_by_one
    assert not set("".join(one_by_one)) & set("\r\n\0\x1b\x9b")


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        (b" 10%\r 50%\r100%\n", ["100%"]),
        (b"100 of 100\rdone\n", ["doneof 100"]),
        (b"a long bar\r\x1b[Kdone\n", ["done"]),
        (b"a long bar\r\x1b[2Kdone\n", ["done"]),
        (b"dos\r\nlines\r\n", ["dos", "lines"]),
        (b"\x1b[1;31mred\x1b[0m\n", ["red"]),
        (b"\xff\xc3", ["\ufffd\ufffd"]),
        (b"a\0b\x07\tc\x0cd", ["a\ufffdb\ufffd\tc\x0cd"]),
        (b"\n\n", ["", ""]),
        (b"", []),
    ],
)
def test_a_line_is_shown_as_a_terminal_would(printed: bytes, seen: list[str]) -> None:
    assert display(printed) == seen


def cut(content: bytes, limit_chars: int = 100, window_bytes: int = 1000) -> str:
    return excerpt(OpenLines.of_bytes(content), "o7", limit_chars, window_bytes)


@settings(deadline=None)
@given(
    content=CONTENT, repeat=st.integers(1, 50),
    limit_chars=st.integers(1, 300), window_bytes=st.integers(1, 500),
)  # fmt: skip
def test_what_is_shown_keeps_the_budget_and_says_what_it_leaves_out(
    content: bytes, repeat: int, limit_chars: int, window_bytes: int
) -> None:
    content *= repeat
    text = cut(content, limit_chars, window_bytes)
    everything = "\n".join(display(content)).strip("\n")
    notes = list(NOTE.finditer(text))
    if len(content) <= 2 * window_bytes and len(everything) <= limit_chars:
        assert text == (everything or "(no output)")
        return
    assert len(notes) <= 1
    assert len(text) <= limit_chars + sum(len(note[0]) + 2 for note in notes)
    for note in notes:
        assert 'read_output(handle="o7", start=' in note[0]
        if note[1]:
            first, last, count, left = (int(note[group]) for group in (1, 2, 3, 5))
            assert count == len(display(content))
            assert left == last - first + 1
            if not note[4] and len(content) <= 2 * window_bytes:
                lines = display(content)
                head, tail = text[: note.start()], text[note.end() :]
                assert head == "".join(f"{line}\n" for line in lines[:first])
                assert tail == "".join(f"\n{line}" for line in lines[last + 1 :])


@pytest.mark.parametrize("window_bytes", [1000, 1 << 20])
def test_many_lines_are_cut_between_lines(window_bytes: int) -> None:
    content = b"".join(b"line %d\n" % number for number in range(1000))
    lines = cut(content, window_bytes=window_bytes).splitlines()
    assert lines == [
        *(f"line {number}" for number in range(5)),
        "[lines 5 to 993 of 1000 left out: 989 lines, "
        f"{sum(len(b'line %d ' % n) for n in range(5, 994))} bytes; "
        'read_output(handle="o7", start=5) shows them]',
        *(f"line {number}" for number in range(994, 1000)),
    ]


@pytest.mark.parametrize("letter", ["x", "é", "😀"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_one_very_long_line_is_cut_between_characters(letter: str, end: str) -> None:
    text = cut((letter * 5000 + end).encode())
    assert text == (
        f"{letter * 39}\n[{4902 * len(letter.encode())} bytes of line 0 left out; "
        f'read_output(handle="o7", start=0, grep=...) shows places in it]\n{letter * 59}'
    ).replace(f"[{4902 * len(letter.encode())} ", f"[{4902 * len(letter.encode()) + len(end)} ")


def test_a_long_line_among_short_ones_is_shown_in_part() -> None:
    text = cut(b"first\n" + b"x" * 5000 + b"\nlast\n")
    head, note, tail, last = text.splitlines()[1:]
    assert text.startswith("first\n")
    assert (head, tail, last) == ("x" * 33, "x" * 54, "last")
    assert note.startswith("[4914 bytes of line 1 left out")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_very_long_progress_bar_is_its_last_state(end: bytes) -> None:
    states = b"".join(b"\r%5d of 99999" % number for number in range(100_000))
    assert cut(states + end) == "99999 of 99999"
    text = cut(b"begin\n" + states + end + b"end\n" * bool(end))
    assert text.splitlines() == ["begin", "99999 of 99999", *(["end"] if end else [])]


def test_binary_output_is_cut_as_well() -> None:
    text = cut(bytes(range(256)) * 100)
    assert len(text) < 400
    assert "\0" not in text
    assert NOTE.search(text)


def test_only_the_ends_of_a_file_are_read(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path)
    handle = kept(outputs, *[("stdout", b"a line of text\n" * 4096)] * 100)
    lines = outputs.lines(handle)
    assert isinstance(lines, Lines)
    read = 0

    with lines.opened() as file:

        def counting(begin: int, end: int) -> bytes:
            nonlocal read
            read += end - begin
            return file.read(begin, end)

        excerpt(OpenLines(counting, lines.index), handle, window_bytes=100_000)
    assert read <= 200_000 + 2 * BLOCK_BYTES


@pytest.mark.parametrize("window_bytes", range(200, 220))
def test_what_is_read_of_a_file_may_end_within_a_character(window_bytes: int) -> None:
    content = ("\x1b[31m\x1b[0m😀" * 1000).encode()
    text = cut(content, window_bytes=window_bytes)
    assert "😀" in text
    assert "\ufffd" not in text
