"""One verdict from the three things a run of tests leaves: its report, its log, its exit code."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tools.testruns.bin_test_log import read_bin_test_log
from tools.testruns.ending import ended_by_signal, explain_ending
from tools.testruns.junit import ReportError, read_junit
from tools.testruns.outcome import Counts, Outcome, TestRun
from tools.testruns.pytest_log import read_log_tests, read_pytest_log, why_stopped
from tools.testruns.runner import Runner
from tools.testruns.selection import Selection
from tools.testruns.unittest_log import read_unittest_log

# What the log says in the words that the report lacks: (report's, log's).
_FINER = {(Outcome.PASSED, Outcome.XPASSED), (Outcome.ERROR, Outcome.FAILED)}


@dataclass(frozen=True)
class _Evidence:
    """What each source says; None or "" where it says nothing.

    Attributes:
        named: whether the log names single tests.
        stopped: why pytest says that it did not run all tests.
    """

    report: Counts | None
    report_error: str
    log: Counts | None
    exit_code: int | None
    named: bool
    stopped: str


def combine(
    report_xml: bytes | None,
    log: str,
    exit_code: int | None,
    timed_out: bool = False,
    selection: Selection = Selection(),  # noqa: B008 - a frozen value
    runner: Runner = Runner.PYTEST,
) -> TestRun:
    """What a run of `pytest_argv`'s or `project_argv`'s command came to.

    Outcomes and counts come from the report where there is a complete one, else from the log, and
    what contradicts them is named in `disagreement`. All three can be written by the code under
    test: this is advice, and no verdict on a patch.

    Args:
        report_xml: the content of the report's file; None where there is none.
        log: standard output and error as text.
        exit_code: of the runner or of a shell around it; None where it never ended.
        timed_out: whether the command was ended for its time limit.
        selection: what was asked for.
        runner: what printed the log; only pytest writes reports.
    """
    if runner is not Runner.PYTEST:
        return _from_log_alone(log, exit_code, timed_out, selection, runner)
    from_log = read_pytest_log(log, selection.expected)
    log_counts = read_log_tests(log)
    from_report, report_error = _read_report(report_xml, from_log, selection)
    outcomes = from_log if from_report is None else from_report
    deselected = log_counts.deselected if log_counts else 0
    report_counts = (
        None if from_report is None else Counts.of(from_report.values(), deselected=deselected)
    )
    counts = report_counts or log_counts or Counts()
    evidence = _Evidence(
        report_counts, report_error, log_counts, exit_code, bool(from_log), why_stopped(log)
    )
    return TestRun(
        outcomes=MappingProxyType(outcomes),
        counts=counts,
        source="log" if from_report is None else "report",
        exit_code=exit_code,
        summary=explain_ending(
            outcomes, counts, log,
            exit_code=exit_code, timed_out=timed_out, selection=selection, runner=runner,
        ),
        disagreement="; ".join(_contradictions(evidence)) or None,
    )  # fmt: skip


def _from_log_alone(
    log: str, exit_code: int | None, timed_out: bool, selection: Selection, runner: Runner
) -> TestRun:
    """What a run came to whose runner writes no report."""
    reading = read_bin_test_log(log) if runner is Runner.BIN_TEST else read_unittest_log(log)
    counts = reading.counts or Counts()
    found = reading.contradictions(exit_code)
    if exit_code is not None:
        found += _exit_contradictions(exit_code, reading.counts)
    return TestRun(
        outcomes=MappingProxyType(dict(reading.outcomes)),
        counts=counts,
        source="log",
        exit_code=exit_code,
        summary=explain_ending(
            reading.outcomes, counts, log,
            exit_code=exit_code, timed_out=timed_out, selection=selection, runner=runner,
        ),
        disagreement="; ".join(found) or None,
    )  # fmt: skip


def _read_report(
    report_xml: bytes | None, from_log: Mapping[str, Outcome], selection: Selection
) -> tuple[dict[str, Outcome] | None, str]:
    """The report's outcomes, or None and why it could not be read ("" where there is no file)."""
    if report_xml is None:
        return None, ""
    try:
        outcomes = read_junit(report_xml, known=[*selection.expected, *from_log])
    except ReportError as error:
        return None, str(error)
    for test_id, outcome in outcomes.items():
        said = from_log.get(test_id)
        if said and (outcome, said) in _FINER:
            outcomes[test_id] = said
    return outcomes, ""


def _contradictions(evidence: _Evidence) -> list[str]:
    """Each point on which report, log and exit code do not fit together."""
    counts = evidence.report or evidence.log
    found = []
    if evidence.report_error:
        found.append(f"{evidence.report_error}, so the counts are the log's")
    elif evidence.report is None and (evidence.exit_code == 0 or evidence.log is not None):
        found.append("pytest wrote no report, so the counts are the log's")
        if evidence.log and evidence.log.total and not evidence.named:
            found.append(f"the log ends with {evidence.log}, but names none of them")
    if evidence.report and evidence.log and _differ(evidence.report, evidence.log):
        found.append(f"the report says {evidence.report}, the log says {evidence.log}")
    if evidence.exit_code == 0 and evidence.stopped:
        found.append(f"the exit code is 0 although the run was stopped: {evidence.stopped}")
    if evidence.exit_code is not None:
        found += _exit_contradictions(evidence.exit_code, counts)
    return found


def _differ(report: Counts, log: Counts) -> bool:
    """Whether the log's closing line cannot be about the same run as the report.

    pytest's line counts records and the report's counts are tests: a teardown error comes on top
    of the test's own outcome, and pytest 9 counts subtests that failed or were skipped.
    """
    surplus = log.total - report.total
    return (
        bool(report.bad) != bool(log.bad)
        or report.passed + report.xpassed > log.passed + log.xpassed
        or not 0 <= surplus <= max(log.bad, report.bad) + report.skipped
    )


def _exit_contradictions(exit_code: int, counts: Counts | None) -> list[str]:
    total, bad = (counts.total, counts.bad) if counts else (0, 0)
    if signal := ended_by_signal(exit_code):
        return [f"the process was ended by {signal} after counting its tests"] if total else []
    if exit_code == 0 and bad:
        return [f"the exit code is 0 although tests did not pass ({counts})"]
    if exit_code == 0 and not total:
        return ["the exit code is 0 although no test ran"]
    if exit_code == 5 and total:
        return [f"the exit code is 5, for no tests, although there are some ({counts})"]
    if exit_code not in {0, 2, 5} and total and not bad:
        return [f"the exit code is {exit_code} although no test failed ({counts})"]
    return []
