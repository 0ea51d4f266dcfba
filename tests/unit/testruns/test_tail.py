"""The tail that results carry: bounded and readable without a terminal."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tools.testruns.ansi import strip_ansi
from tools.testruns.tail import MAX_CHARS, MAX_LINES, tail

PIECES = [
    "\x1b[31m",
    "\x1b[",
    "\x1b]0;t\x07",
    "\x1b]",
    "\x1b(B",
    "\x1b",
    "\x9b1m",
    "\r",
    "\n",
    "ab",
]


@given(st.lists(st.sampled_from(PIECES) | st.text()).map("".join) | st.binary())
@example("x\n" * 50)
@example("y" * 5_000)
@example(b"\xff" * 5_000)
def test_tail_is_bounded_and_clean(text: str | bytes) -> None:
    shown = tail(text)
    assert len(shown) <= MAX_CHARS
    assert shown.count("\n") < MAX_LINES
    assert not set(shown) & set("\x1b\x9b\r")
    assert shown.encode().decode() == shown


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])), max_size=40))
def test_plain_text_keeps_its_last_lines(lines: list[str]) -> None:
    assert tail("".join(f"{line}\n" for line in lines), chars=10**6) == "\n".join(lines[-20:])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("\n", ""),
        ("a\n\n", "a\n"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]0;never ended\nnext", "0;never ended\nnext"),
        ("\x1b(Bplain\x1b7\x1bM", "plain"),
        ("10%\r50%\r100%\ndone\r\n", "100%\ndone"),
        (b"caf\xc3\xa9 \xff", "café \ufffd"),
        ("lone \udcff", "lone \ufffd"),
    ],
)
def test_output_is_shown_as_a_terminal_leaves_it(text: str | bytes, expected: str) -> None:
    assert tail(text) == expected


def test_limits_can_be_chosen_and_the_end_is_kept() -> None:
    assert tail("a\nb\nc", lines=2) == "b\nc"
    assert tail("abcdef", chars=3) == "def"
    assert tail("abc", lines=0) == ""
    assert tail("abc", chars=0) == ""


@pytest.mark.parametrize("piece", ["\x1b]", "\x9d", "\x1b[", "\x1b[0", "\x1b ", "\x90\x1bP"])
def test_hostile_sequences_take_linear_time(piece: str) -> None:
    started_s = time.monotonic()
    strip_ansi(piece * 200_000)
    assert time.monotonic() - started_s < 2
