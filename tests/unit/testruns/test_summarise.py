"""One line for every way a run can end, and every contradiction shown."""

import pytest

from tools.testruns.ending import MAX_LINE_CHARS, ended_by_signal
from tools.testruns.outcome import Counts
from tools.testruns.selection import Selection
from tools.testruns.summarise import combine

FAILURE = "<failure/>"


def _report(*children: str) -> bytes:
    cases = "".join(
        f'<testcase classname="t" name="t{i}" file="t.py">{child}</testcase>'
        for i, child in enumerate(children)
    )
    return f"<testsuites><testsuite>{cases}</testsuite></testsuites>".encode()


@pytest.mark.parametrize(
    ("report", "log", "exit_code", "summary"),
    [
        (_report("", "", FAILURE), "1 failed, 2 passed in 0.1s", 1, "1 failed, 2 passed"),
        (_report("", ""), "2 passed, 3 deselected in 0.1s", 0, "2 passed, 3 deselected"),
        (_report(), "no tests ran in 0.1s", 5, "no tests ran (exit code 5): pytest found no tests"),
        (_report(""), "1 passed in 0.1s", 2, "interrupted (exit code 2): 1 passed"),
        (
            _report(""),
            "!!! Interrupted: enough !!!\n1 passed in 0.1s",
            2,
            "interrupted by enough (exit code 2): 1 passed",
        ),
        (_report(""), "1 passed in 0.1s", 3, "1 passed"),
        (
            None,
            "INTERNALERROR> Traceback\nINTERNALERROR> ValueError: odd\n\nno tests ran in 0.1s",
            3,
            "pytest failed inside itself (exit code 3): ValueError: odd",
        ),
        (
            _report(),
            "no tests ran in 0.01s\nERROR: file or directory not found: gone.py\n",
            4,
            "pytest did not start its tests (exit code 4): file or directory not found: gone.py",
        ),
        (
            None,
            "ImportError while loading conftest 'c.py'.\nc.py:1: in <module>\nE   KeyError: 'x'",
            4,
            "pytest did not start its tests (exit code 4): KeyError: 'x'",
        ),
        (
            None,
            "sh: python: not found\n",
            127,
            "no test has an outcome (exit code 127): sh: python: not found",
        ),
        (None, "", 1, "no test has an outcome (exit code 1): no output"),
        (None, "", None, "no test has an outcome (no exit code): no output"),
        (None, "tests/t.py ..", -11, "ended by SIGSEGV (exit code -11), a crash in native code"),
        (None, "", 137, "ended by SIGKILL (exit code 137), most likely out of memory"),
        (None, "3 passed in 1s", 143, "ended by SIGTERM (exit code 143): 3 passed"),
    ],
)
def test_ending_is_told_in_one_line(
    report: bytes | None, log: str, exit_code: int | None, summary: str
) -> None:
    assert combine(report, log, exit_code).summary.startswith(summary)


def test_time_limit_is_told_with_what_was_counted() -> None:
    assert combine(None, "t.py .", None, timed_out=True).summary == (
        "stopped at its time limit before its tests were counted"
    )
    run = combine(_report(""), "1 passed in 0.1s", -9, timed_out=True)
    assert run.summary == "stopped at its time limit: 1 passed"


@pytest.mark.parametrize(
    ("log", "selection", "reason"),
    [
        ("4 deselected in 0.1s", Selection(k="x y"), "-k 'x y' matched none of 4 tests"),
        ("4 deselected in 0.1s", Selection(("a.py",), "x"), "matched none of 4 tests in a.py"),
        ("4 deselected in 0.1s", Selection(), "all 4 tests were deselected by the project's own"),
        ("no tests ran in 0.1s", Selection(("a.py", "b")), "pytest found no tests in a.py, b"),
    ],
)
def test_empty_selection_is_explained(log: str, selection: Selection, reason: str) -> None:
    assert reason in combine(_report(), log, 5, selection=selection).summary


def test_summary_is_one_bounded_line() -> None:
    selection = Selection(("a\nb" * 500,))
    summary = combine(_report(), "", 5, selection=selection).summary
    assert len(summary) == MAX_LINE_CHARS
    assert "\n" not in summary


@pytest.mark.parametrize(
    ("report", "log", "exit_code", "disagreement"),
    [
        (_report(""), "1 passed in 1s", 1, "the exit code is 1 although no test failed (1 passed)"),
        (_report(""), "1 passed in 1s", 5, "the exit code is 5, for no tests"),
        (_report(FAILURE), "1 failed in 1s", 0, "the exit code is 0 although tests did not pass"),
        (_report(), "no tests ran in 1s", 0, "the exit code is 0 although no test ran"),
        (None, "1 passed in 1s", 0, "pytest wrote no report"),
        (None, "1 failed in 1s", 1, "pytest wrote no report"),
        (None, "", 0, "pytest wrote no report"),
        (b"<testsuites>", "1 failed in 1s", 1, "not complete XML"),
        (_report("", ""), "1 failed, 1 passed in 1s", 1, "the report says 2 passed, the log says"),
        (_report(FAILURE), "1 passed in 1s", 1, "the log says 1 passed"),
        (_report("", ""), "1 passed, 1 skipped in 1s", 0, "the report says 2 passed, the log says"),
        (_report("", "<skipped/>"), "1 passed in 1s", 0, "the log says 1 passed"),
        (_report("", FAILURE), "1 failed in 1s", 1, "the log says 1 failed"),
        (_report(""), "5 passed in 1s", 0, "the report says 1 passed, the log says 5 passed"),
        (_report(), "5 passed in 1s", 0, "the report says no tests ran, the log says 5 passed"),
        (_report(""), "1 passed in 1s", -11, "ended by SIGSEGV after counting its tests"),
    ],
)
def test_contradiction_is_shown(
    report: bytes | None, log: str, exit_code: int, disagreement: str
) -> None:
    shown = combine(report, log, exit_code).disagreement
    assert shown is not None
    assert disagreement in shown


@pytest.mark.parametrize(
    ("report", "log", "exit_code"),
    [
        (_report("", FAILURE), "1 failed, 1 passed in 1s", 1),
        (_report("<error/>"), "1 passed, 1 error in 1s", 1),
        (_report(FAILURE + "<error/>"), "1 failed, 1 error in 1s", 1),
        (_report(""), "1 xpassed in 1s", 0),
        (_report("<skipped/>"), "1 skipped in 1s", 0),
        (_report("<skipped/>"), "1 passed, 1 skipped in 1s", 0),
        (_report(""), "1 passed in 1s", 2),
        (_report(""), "", 0),
        (_report(), "no tests ran in 1s", 5),
        (None, "", 4),
        (None, "tests/t.py ..", 137),
        (None, "Traceback\nImportError: no plugin", 1),
        (_report(""), "1 passed in 1s", None),
    ],
)
def test_what_fits_together_is_no_disagreement(
    report: bytes | None, log: str, exit_code: int | None
) -> None:
    assert combine(report, log, exit_code).disagreement is None


def test_report_is_preferred_to_the_log() -> None:
    run = combine(_report("", FAILURE), "2 failed, 7 deselected in 1s", 1)
    assert (run.source, run.counts) == ("report", Counts(passed=1, failed=1, deselected=7))
    run = combine(b"cut", "2 failed in 1s", 1)
    assert (run.source, run.counts) == ("log", Counts(failed=2))


@pytest.mark.parametrize(
    ("exit_code", "name"),
    [(-11, "SIGSEGV"), (139, "SIGSEGV"), (137, "SIGKILL"), (0, ""), (5, ""), (128, ""), (255, "")],
)
def test_signal_is_read_as_a_shell_and_as_a_parent_tell_it(exit_code: int, name: str) -> None:
    assert ended_by_signal(exit_code) == name
