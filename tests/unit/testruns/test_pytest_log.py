"""What may and what must not be read from pytest's terminal output."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.testruns.outcome import Counts, Outcome
from tools.testruns.pytest_log import collection_error, read_log_counts, read_pytest_log

HEADER = "=========== short test summary info ==========="


def _log(*section: str, before: str = "") -> str:
    return "\n".join([before, HEADER, *section, "==== 1 failed, 3 passed in 0.12s ===="])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("=== 1 failed, 3 passed in 0.12s ===", Counts(failed=1, passed=3)),
        ("1 failed, 3 passed in 0.12s", Counts(failed=1, passed=3)),
        ("= 1 failed, 3 passed, 2 warnings, 1 error in 0.13 seconds =", Counts(3, 1, 1)),
        ("3 passed, 1 warning in 65.32s (0:01:05)", Counts(passed=3)),
        ("3 passed in 90061.00s (1 day, 1:01:01)", Counts(passed=3)),
        ("2 failed, 1 rerun, 2 errors in 3.00s", Counts(failed=2, error=2)),
        ("=== 4 deselected in 0.01s ===", Counts(deselected=4)),
        ("no tests ran in 0.00s", Counts()),
        ("== 2 xfailed, 3 xpassed, 5 skipped in 1s ==", Counts(skipped=5, xfailed=2, xpassed=3)),
        ("1 passed, 7 subtests passed in 0.02s", Counts(passed=1)),
        ("2 tests collected in 0.01s", Counts()),
        ("\x1b[31m=== \x1b[1m1 failed\x1b[0m in 0.12s ===\x1b[0m", Counts(failed=1)),
        ("1 failed in 0.12s\r", Counts(failed=1)),
    ],
)
def test_closing_line_is_read_in_all_its_forms(line: str, expected: Counts) -> None:
    assert read_log_counts(f"9 failed in 9.00s\n{line}\nleft over\n") == expected


@pytest.mark.parametrize("line", ["", "3 passed", "1 failed in the end", "x 3 passed in 0.1s"])
def test_other_lines_are_no_closing_line(line: str) -> None:
    assert read_log_counts(line) is None


def test_section_counts_where_the_closing_line_is_missing() -> None:
    log = f"{HEADER}\nPASSED t.py::a\nSKIPPED [3] t.py:1: why\nFAILED t.py::b - x"
    assert read_log_counts(log) == Counts(passed=1, failed=1, skipped=3)


def test_only_the_last_section_counts() -> None:
    printed = f"{HEADER}\nFAILED t.py::a\n"
    assert read_pytest_log(_log("PASSED t.py::a", before=printed)) == {"t.py::a": Outcome.PASSED}


def test_lines_outside_the_section_do_not_count() -> None:
    log = "PASSED t.py::early\n" + _log("FAILED t.py::a - no") + "\nPASSED t.py::late\n"
    assert read_pytest_log(log) == {"t.py::a": Outcome.FAILED}


@pytest.mark.parametrize(
    ("line", "expected", "test_id"),
    [
        ("FAILED t.py::a - assert 1 == 2", (), "t.py::a"),
        ("FAILED t.py::a - x[0] - y]", (), "t.py::a"),
        ("FAILED t.py::a[b - c] - x", (), "t.py::a[b - c]"),
        ("FAILED t.py::a[b] - c] - x", (), "t.py::a[b]"),
        ("FAILED t.py::a[b] - c] - x", ("t.py::a[b] - c]",), "t.py::a[b] - c]"),
        ("FAILED t.py::a[b - c] - x", ("t.py::a[b",), "t.py::a[b - c]"),
        ("FAILED t.py::a[b - c", (), "t.py::a[b"),
        ("PASSED t.py::a[b] - c]", (), "t.py::a[b] - c]"),
        ("ERROR t.py - ImportError: x", (), "t.py"),
        ("XFAIL t.py::a - known", (), "t.py::a"),
        ("SUBFAILED(i=(1, 2)) t.py::a - x", (), "t.py::a"),
        ("SUBFAILED[m] t.py::a[p q] - x", (), "t.py::a[p q]"),
        ("[m] SUBFAIL t.py::a - x", (), "t.py::a"),
    ],
)
def test_id_is_told_from_its_message(line: str, expected: tuple[str, ...], test_id: str) -> None:
    assert list(read_pytest_log(_log(line), expected)) == [test_id]


PARTS = st.sampled_from([" - ", "]", "[", "::", " "]) | st.text(
    st.characters(exclude_categories=["Cc", "Cs"]), min_size=1
)
IDS = st.lists(PARTS).map("".join).map("t.py::a[{}]".format)


@given(IDS, st.sampled_from(["FAILED", "ERROR", "XFAIL"]), st.text(st.characters(codec="ascii")))
def test_expected_ids_survive_any_message(test_id: str, word: str, message: str) -> None:
    line = f"{word} {test_id} - {message.splitlines()[0] if message.splitlines() else ''}"
    read = read_pytest_log(_log(line), expected=[test_id])
    assert list(read) == [test_id]


@given(
    st.lists(
        st.sampled_from(
            [
                "FAILED ",
                "=",
                " in 0.1s",
                "[",
                "]",
                "SUBFAILED",
                "(",
                " - ",
                "SKIPPED [9] ",
                HEADER,
                "\n",
                "\x1b[",
                "1 passed",
            ]
        )
        | st.text()
    )
)
def test_no_output_crashes_the_reader(parts: list[str]) -> None:
    text = "".join(parts)
    assert all(isinstance(found, Outcome) for found in read_pytest_log(text, ["t"]).values())
    assert isinstance(read_log_counts(text), Counts | None)
    assert "\n" not in collection_error(text, "t.py")


def test_collection_error_is_the_one_of_its_own_file() -> None:
    log = "\n".join(
        [
            "____ ERROR collecting a.py ____",
            "E   ValueError: first",
            "____ ERROR collecting b.py ____",
            "E   KeyError: 'second'",
            "=========== FAILURES ===========",
            "E   assert 0",
        ]
    )
    assert collection_error(log, "a.py") == "ValueError: first"
    assert collection_error(log, "b.py") == "KeyError: 'second'"
    assert collection_error(log, "c.py") == ""
