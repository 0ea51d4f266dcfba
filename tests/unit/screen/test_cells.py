"""Text in cells: wide characters take two, combining ones none."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from agent_runner.screen.cells import cells, fit, flow
from agent_runner.text import one_line


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("日本語", 6), ("e\u0301", 1), ("", 0)])
def test_width(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(
    ("width", "head", "tail"),
    [
        (8, "日本語x ", "日本語x "),
        (7, "日本語x", "日本語x"),
        (6, "日本 …", "…本語x"),
        (5, "日本…", "…語x "),
        (1, "…", "…"),
        (0, "", ""),
    ],
)
def test_what_is_too_long_is_cut_where_it_matters_less(width: int, head: str, tail: str) -> None:
    assert fit("日本語x", width) == head
    assert fit("日本語x", width, keep_end=True) == tail


@example(text="\u3070\u17ca\u2514\ufe0f4\u6bb3", width=5, keep_end=True)
@given(st.text(), st.integers(0, 30), st.booleans())
def test_exactly_so_wide(text: str, width: int, keep_end: bool) -> None:
    assert cell_len(fit(one_line(text), width, keep_end=keep_end)) == width


def test_phrases_flow_into_lines() -> None:
    assert flow(["one", "two", "three"], 9) == ["one · two", "three"]
    assert flow(["one", "a long phrase"], 8) == ["one", "a long …"]
    assert flow([], 8) == []
