"""What the model sees of a command's output."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.outputs import CONTENT, kept
from tools.outputs.display import display
from tools.outputs.excerpt import excerpt
from tools.outputs.lines import BLOCK_BYTES, Lines, OpenLines
from tools.outputs.store import Outputs

ONE_LINE = r"\[\d+ bytes of line \d+ left out; .*\]"
MORE_LINES = (
    r"\[lines (\d+) to (\d+) of (\d+) left out(, the outermost in part)?: (\d+) lines, .*\]"
)
NOTE = re.compile(f"{ONE_LINE}|{MORE_LINES}")


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


def test_what_is_read_of_a_file_may_end_within_a_character() -> None:
    content = ("\x1b[31m\x1b[0m😀" * 1000).encode()
    for window_bytes in range(200, 220):
        text = cut(content, window_bytes=window_bytes)
        assert "😀" in text, window_bytes
        assert "\ufffd" not in text, window_bytes
