"""What may and what must not be read from the logs of runners that write no report."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.testruns.bin_test_log import read_bin_test_log
from tools.testruns.outcome import Counts, Outcome
from tools.testruns.runner import Runner
from tools.testruns.summarise import combine
from tools.testruns.unittest_log import read_unittest_log

OTHERS = [Runner.UNITTEST, Runner.RUNTESTS, Runner.BIN_TEST]
RULE = "=" * 70


def _closed(*lines: str, ran: int, verdict: str) -> str:
    return "\n".join([*lines, "", "-" * 70, f"Ran {ran} tests in 0.001s", "", verdict, ""])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("test_a (m.C) ... ok", {"test_a (m.C)": Outcome.PASSED}),
        ("test_a (m.C)\nDoes a thing. ... ok", {"test_a (m.C)": Outcome.PASSED}),
        ("test_a (m.C)\nA (b) thing ... FAIL", {"test_a (m.C)": Outcome.FAILED}),
        ("test_a (m.C) ... printed\nok", {"test_a (m.C)": Outcome.PASSED}),
        ("test_a (m.C) ... printed ... ok", {"test_a (m.C)": Outcome.PASSED}),
        ("test_a (m.C) ... skipped 'why - ok'", {"test_a (m.C)": Outcome.SKIPPED}),
        ('test_a (m.C) ... skipped "it\'s"', {"test_a (m.C)": Outcome.SKIPPED}),
        ("test_a (m.C) ... expected failure", {"test_a (m.C)": Outcome.XFAILED}),
        ("test_a (m.C) ... unexpected success", {"test_a (m.C)": Outcome.FAILED}),
        ("test_a (m.C) ... FAIL\nERROR", {"test_a (m.C)": Outcome.FAILED}),
        (
            "test_a (m.C) ... test_b (m.C) ... ok",
            {"test_b (m.C)": Outcome.PASSED},
        ),
        ("\x1b[32mtest_a (m.C) ... ok\x1b[0m\r", {"test_a (m.C)": Outcome.PASSED}),
        ("test_a (m.C) ... ok\nprinted later: ERROR", {"test_a (m.C)": Outcome.PASSED}),
        ("test_a (m.C) ... printed\nan_id (of.nothing)\nok", {"test_a (m.C)": Outcome.PASSED}),
        ("test_a (m.C) ... look", {}),
        ("test_a (m.C) ... ", {}),
        ("see test_a (m.C) ... ok", {}),
        ("test_a (m.C)", {}),
        ("ok", {}),
        (f"{RULE}\nERROR: setUpClass (m.C)", {"setUpClass (m.C)": Outcome.ERROR}),
        (f"{RULE}\nFAIL: test_a (m.C) (i=1)", {"test_a (m.C)": Outcome.FAILED}),
        ("FAIL: test_a (m.C)", {}),
        ("printed\nFAIL: test_a (m.C)", {}),
    ],
)
def test_status_of_a_test_is_found(line: str, expected: dict[str, Outcome]) -> None:
    assert read_unittest_log(line).outcomes == expected


def test_block_decides_over_the_line() -> None:
    log = _closed(
        "test_a (m.C) ... printed ok",
        RULE,
        "FAIL: test_a (m.C)",
        ran=1,
        verdict="FAILED (failures=1)",
    )
    assert read_unittest_log(log).counts == Counts(failed=1)


@pytest.mark.parametrize(
    ("ran", "verdict", "counts"),
    [
        (3, "OK", Counts(passed=3)),
        (3, "OK (skipped=2)", Counts(passed=1, skipped=2)),
        (4, "OK (skipped=1, expected failures=1)", Counts(passed=2, skipped=1, xfailed=1)),
        (0, "NO TESTS RAN", Counts()),
    ],
)
def test_closing_line_stands_in_for_tests_without_lines(
    ran: int, verdict: str, counts: Counts
) -> None:
    assert read_unittest_log(_closed("....", ran=ran, verdict=verdict)).counts == counts


@pytest.mark.parametrize("text", ["Ran 3 tests in 0.1s", "Ran 3 tests in 0.1s\n\nfine", "OK", ""])
def test_closing_line_needs_its_verdict(text: str) -> None:
    reading = read_unittest_log(text)
    assert (reading.closing, reading.counts) == (None, None)


FILE = "a/tests/test_b.py[2] "


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("test_x ok", {"test_x": Outcome.PASSED}),
        ("test_x ok      [OK]", {"test_x": Outcome.PASSED}),
        ("test_x F\ntest_y E    [FAIL]", {"test_x": Outcome.FAILED, "test_y": Outcome.ERROR}),
        ("test_x printed\nok", {"test_x": Outcome.PASSED}),
        ("test_x printed ok\nF", {"test_x": Outcome.FAILED}),
        ("test_x f\ntest_y X", {"test_x": Outcome.XFAILED, "test_y": Outcome.XPASSED}),
        ("test_x a reason s", {"test_x": Outcome.SKIPPED}),
        ("test_x Slow w", {"test_x": Outcome.SKIPPED}),
        ("test_x Timeout T", {"test_x": Outcome.ERROR}),
        ("test_x KeyboardInterrupt K", {"test_x": Outcome.SKIPPED}),
        ("test_x printed", {}),
        ("____ a/tests/test_b.py:test_x ____", {"test_x": Outcome.FAILED}),
        ("test_x E\n____ a/tests/test_b.py:test_x ____", {"test_x": Outcome.ERROR}),
        ("test_x ok\n____ a/tests/test_b.py:test_x ____", {"test_x": Outcome.ERROR}),
        ("==== tests ====\ntest_x ok", {}),
    ],
)
def test_letter_of_a_test_is_found(lines: str, expected: dict[str, Outcome]) -> None:
    read = read_bin_test_log(f"{FILE}\n{lines}").outcomes
    assert read == {f"a/tests/test_b.py::{name}": outcome for name, outcome in expected.items()}


def test_tests_without_a_file_are_no_tests() -> None:
    assert read_bin_test_log("test_x ok\ntest_y F").counts is None


@pytest.mark.parametrize(
    ("closing", "counts"),
    [
        ("== tests finished: 3 passed, in 0.02 seconds ==", Counts(passed=3)),
        (" tests finished: 1 passed, 2 failed, \n3 failed, in 1.00 seconds ", Counts(1, 5)),
        (
            "tests finished: 0 passed, 1 skipped, 2 expected to fail, \n"
            "3 expected to fail but passed, 4 exceptions, in 0.00 seconds",
            Counts(skipped=1, xfailed=2, xpassed=3, error=4),
        ),
    ],
)
def test_closing_of_bin_test_is_read_in_all_its_forms(closing: str, counts: Counts) -> None:
    assert read_bin_test_log(closing).counts == counts


@pytest.mark.parametrize(
    ("runner", "log", "exit_code", "disagreement"),
    [
        (
            Runner.RUNTESTS,
            _closed("test_a (m.C) ... FAIL", ran=100, verdict="OK"),
            1,
            "test by test the log says 1 failed, at its end 100 passed",
        ),
        (
            Runner.RUNTESTS,
            _closed("test_a (m.C) ... ok", ran=2, verdict="OK"),
            0,
            "test by test the log says 1 passed, at its end 2 passed",
        ),
        (Runner.UNITTEST, "test_a (m.C) ... ok", 0, "the log has no end"),
        (Runner.UNITTEST, "", 0, "the log has no end; the exit code is 0 although no test ran"),
        (
            Runner.UNITTEST,
            _closed("test_a (m.C) ... FAIL", ran=1, verdict="FAILED (failures=1)"),
            0,
            "the exit code is 0 although tests did not pass",
        ),
        (
            Runner.BIN_TEST,
            f"{FILE}\ntest_x ok\n= tests finished: 0 passed, 1 exceptions, in 1.00 seconds =",
            1,
            "test by test the log says 1 passed, at its end 1 error",
        ),
    ],
)
def test_contradiction_in_a_log_is_shown(
    runner: Runner, log: str, exit_code: int, disagreement: str
) -> None:
    run = combine(None, log, exit_code, runner=runner)
    assert run.source == "log"
    assert disagreement in (run.disagreement or "")


def test_unexpected_success_is_a_failure_at_both_places() -> None:
    verdict = "FAILED (unexpected successes=1)"
    log = _closed("test_a (m.C) ... unexpected success", ran=1, verdict=verdict)
    run = combine(None, log, 1, runner=Runner.UNITTEST)
    assert (run.counts, run.disagreement) == (Counts(failed=1), None)


def test_run_that_was_killed_keeps_what_it_told() -> None:
    run = combine(None, "test_a (m.C) ... ok\ntest_b (m.C) ... ", 137, runner=Runner.RUNTESTS)
    assert run.counts == Counts(passed=1)
    assert run.summary.startswith("ended by SIGKILL (exit code 137)")


PIECES = st.sampled_from(
    [
        "test_a (m.C)", " ... ", "ok", "FAIL", "skipped 'x'", "\n", f"{RULE}\n", "FAIL: ", "[OK]",
        "Ran 1 test in 0.1s\n\nOK", "FAILED (failures=1)", "a/test_b.py[1] ", "test_x ", "F", "E",
        "____ a/test_b.py:test_x ____", "tests finished: 1 passed, in 0.1 seconds", "\x1b[", "\r",
        " (i=1)", "()", "(" * 50, " " * 50,
    ]
)  # fmt: skip


@given(st.lists(PIECES | st.text()).map("".join), st.sampled_from(OTHERS), st.integers(-70, 260))
def test_no_log_crashes_a_reader(log: str, runner: Runner, exit_code: int) -> None:
    run = combine(None, log, exit_code, runner=runner)
    assert all(isinstance(outcome, Outcome) for outcome in run.outcomes.values())
    assert min(vars(run.counts).values()) >= 0
    assert run.source == "log"
    assert "\n" not in run.summary


@given(st.text(st.sampled_from(" \t\r\n\x1b[0m=-_.")), st.sampled_from([*OTHERS, Runner.PYTEST]))
def test_nothing_is_counted_from_an_empty_log(log: str, runner: Runner) -> None:
    run = combine(None, log, 1, runner=runner)
    assert (run.counts, dict(run.outcomes)) == (Counts(), {})


@pytest.mark.parametrize("runner", [*OTHERS, Runner.PYTEST])
@pytest.mark.parametrize("begin", ["", "a/test_b.py[1] \ntest_x ", "tests finished: ", "!!! "])
@pytest.mark.parametrize(
    "piece",
    [
        "test_a (m.C) ... ",
        "skipped '",
        "_",
        "!",
        "1 passed, ",
        "a (",
        "\n",
        " ",
        "x.py:",
        " !!!",
        "= ",
    ],
)
def test_hostile_logs_take_linear_time(runner: Runner, begin: str, piece: str) -> None:
    started_s = time.monotonic()
    combine(None, begin + piece * 30_000 + "x", 1, runner=runner)
    assert time.monotonic() - started_s < 2
