"""The same project under pytest 4.6 to 9.2: one truth, read from reports and from logs."""

from pathlib import Path

import pytest

from tools.testruns.junit import read_junit
from tools.testruns.outcome import Counts, Outcome
from tools.testruns.pytest_log import collection_error, read_log_counts, read_pytest_log
from tools.testruns.selection import Selection
from tools.testruns.summarise import combine

CAPTURED = Path(__file__).parent / "captured"
XUNIT1 = ("4.6", "5.4", "6.2", "7.4", "8.3", "9.2", "9.2-xdist")
ALL = (*XUNIT1, "5.4-xunit2", "9.2-xunit2")

A = "tests/test_a.py"
PARAMETERS = ("a b", "a - b", "a] - b", "x::y", "[q", '<&">', "new\nline", "\x1b[31mred", "é😀")
BAD_PARAMETERS = (f"{A}::test_param_bad[a - b]", f"{A}::test_param_bad[a] - b]")
PLAIN = {
    f"{A}::test_liar": Outcome.PASSED,
    f"{A}::test_bad": Outcome.FAILED,
    f"{A}::TestOuter::TestInner::test_deep[a.b::c]": Outcome.PASSED,
    f"{A}::TestChild::test_inherited": Outcome.PASSED,
    f"{A}::TestCase::test_expected": Outcome.XFAILED,
    f"{A}::test_fail_then_teardown": Outcome.FAILED,
    f"{A}::test_pass_then_teardown": Outcome.ERROR,
    f"{A}::test_setup": Outcome.ERROR,
    f"{A}::test_xfail": Outcome.XFAILED,
    f"{A}::test_xpass": Outcome.XPASSED,
    f"{A}::test_xpass_strict": Outcome.FAILED,
    "tests/sub/test_broken.py": Outcome.ERROR,
}
RAN = {
    **PLAIN,
    **{f"{A}::test_param[{value}]": Outcome.PASSED for value in PARAMETERS},
    **dict.fromkeys(BAD_PARAMETERS, Outcome.FAILED),
}
TRUTH = {
    **RAN,
    f"{A}::TestCase::test_skip": Outcome.SKIPPED,
    f"{A}::test_skipped": Outcome.SKIPPED,
    "tests/sub/test_whole.py": Outcome.SKIPPED,
}


def _report(name: str) -> bytes:
    return (CAPTURED / f"pytest-{name}.xml").read_bytes()


def _log(name: str) -> str:
    return (CAPTURED / f"pytest-{name}.log").read_bytes().decode()


@pytest.mark.parametrize("name", ALL)
def test_report_gives_every_id_exactly_when_the_ids_are_known(name: str) -> None:
    truth = {**TRUTH, f"{A}::test_xpass": Outcome.PASSED}
    assert read_junit(_report(name), known=TRUTH) == truth


@pytest.mark.parametrize("name", XUNIT1)
def test_report_alone_gives_every_id_that_xml_can_hold(name: str) -> None:
    read = read_junit(_report(name))
    assert {key for key in TRUTH if not set(key) & set("\x1b\n😀")} <= read.keys()
    assert f"{A}::test_param[#x1B[31mred]" in read
    assert len(read) == len(TRUTH)


@pytest.mark.parametrize("name", ALL)
def test_log_gives_outcomes_of_tests_that_ran(name: str) -> None:
    read = read_pytest_log(_log(name), expected=BAD_PARAMETERS)
    unreadable = {key for key in RAN if set(key) & set("\x1b\n")}
    assert {key: read.get(key) for key in RAN if key not in unreadable} == {
        key: outcome for key, outcome in RAN.items() if key not in unreadable
    }
    assert f"{A}::test_liar - printed by the test" not in read


@pytest.mark.parametrize("name", ALL)
def test_closing_line_gives_pytests_own_counts(name: str) -> None:
    assert read_log_counts(_log(name)) == Counts(
        passed=13, failed=5, error=4, skipped=3, xfailed=2, xpassed=1
    )


@pytest.mark.parametrize("name", ALL)
def test_report_and_log_of_one_run_agree(name: str) -> None:
    run = combine(_report(name), _log(name), 1, selection=Selection(expected=tuple(TRUTH)))
    assert run.disagreement is None
    assert dict(run.outcomes) == TRUTH
    assert run.counts == Counts(passed=12, failed=5, error=3, skipped=3, xfailed=2, xpassed=1)
    assert run.source == "report"


@pytest.mark.parametrize("name", ALL)
def test_collection_error_is_named_with_its_exception(name: str) -> None:
    reason = "ModuleNotFoundError: No module named 'nothing_here'"
    assert collection_error(_log(name), "tests/sub/test_broken.py") == reason
    summary = combine(_report(name), _log(name), 1).summary
    assert summary.startswith(f"collection error in tests/sub/test_broken.py: {reason} (5 failed")


@pytest.mark.parametrize("name", ALL)
def test_other_runs_report_is_noticed(name: str) -> None:
    other = _report("9.2-subtests")
    run = combine(other, _log(name), 1)
    assert run.disagreement is not None
    assert "the log says 5 failed, 3 errors, 12 passed" in run.disagreement


def test_failed_subtest_fails_its_test_in_report_and_in_log() -> None:
    report, log = _report("9.2-subtests"), _log("9.2-subtests")
    for read in (read_junit(report), read_pytest_log(log)):
        assert read["test_sub.py::test_sub"] is Outcome.FAILED
        assert read["test_sub.py::T::test_u"] is Outcome.FAILED
        assert read["test_sub.py::test_subok"] is Outcome.PASSED
    assert combine(report, log, 1).disagreement is None
