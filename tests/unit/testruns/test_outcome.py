"""Questions about single tests, and ids that a benchmark cut short."""

import pytest

from tools.testruns.outcome import Counts, Outcome, TestRun, decisive


def _run(**outcomes: Outcome) -> TestRun:
    named = {f"t.py::{name}": outcome for name, outcome in outcomes.items()}
    return TestRun(named, Counts.of(named.values()), "report", 0, "")


@pytest.mark.parametrize(
    ("outcome", "passed", "failed"),
    [
        (Outcome.PASSED, True, False),
        (Outcome.XFAILED, True, False),
        (Outcome.XPASSED, True, False),
        (Outcome.FAILED, False, True),
        (Outcome.ERROR, False, True),
        (Outcome.SKIPPED, False, False),
    ],
)
def test_passed_and_failed_follow_the_benchmarks_rule(
    outcome: Outcome, passed: bool, failed: bool
) -> None:
    run = _run(a=outcome)
    assert (run.passed("t.py::a"), run.failed("t.py::a")) == (passed, failed)


def test_test_that_did_not_run_neither_passed_nor_failed() -> None:
    run = _run(ab=Outcome.PASSED)
    assert run.outcome("t.py::a") is None
    assert not run.passed("t.py::a")
    assert not run.failed("t.py::a")


def _parametrised(**outcomes: Outcome) -> TestRun:
    return _run(**{f"a[{name}]": outcome for name, outcome in outcomes.items()})


@pytest.mark.parametrize(
    ("names", "asked", "expected"),
    [
        ({"b c": Outcome.PASSED}, "a[b", Outcome.PASSED),
        ({"b c": Outcome.PASSED, "b d": Outcome.FAILED}, "a[b", Outcome.FAILED),
        ({"b c": Outcome.PASSED, "bd": Outcome.FAILED}, "a[b", Outcome.PASSED),
        ({"bd": Outcome.FAILED}, "a[b", Outcome.FAILED),
        ({"b": Outcome.PASSED, "b] c": Outcome.FAILED}, "a[b]", Outcome.PASSED),
        ({"b] c": Outcome.FAILED}, "a[b]", Outcome.FAILED),
        ({"b]c": Outcome.FAILED}, "a[b]", None),
        ({"b c": Outcome.PASSED}, "a", None),
        ({"c": Outcome.PASSED}, "a[b", None),
    ],
)
def test_cut_id_stands_for_the_ids_that_continue_it(
    names: dict[str, Outcome], asked: str, expected: Outcome | None
) -> None:
    assert _parametrised(**names).outcome(f"t.py::{asked}") is expected


def test_counts_add_up_and_read_worst_first() -> None:
    counts = Counts.of([Outcome.PASSED] * 12 + [Outcome.FAILED] * 3 + [Outcome.ERROR], deselected=2)
    assert (counts.total, counts.bad) == (16, 4)
    assert str(counts) == "3 failed, 1 error, 12 passed, 2 deselected"
    assert str(Counts()) == "no tests ran"


def test_failure_decides_over_all_other_records() -> None:
    assert decisive(Outcome) is Outcome.FAILED
    assert decisive([Outcome.SKIPPED, Outcome.PASSED]) is Outcome.PASSED
    assert decisive([Outcome.SKIPPED, Outcome.XFAILED]) is Outcome.XFAILED
