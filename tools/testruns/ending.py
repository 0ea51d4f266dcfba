"""Why a run of tests ended as it did, in one line for a model."""

import signal
from collections.abc import Mapping

from tools.testruns.outcome import Counts, Outcome
from tools.testruns.pytest_log import collection_error, why_stopped
from tools.testruns.runner import Runner
from tools.testruns.selection import Selection
from tools.testruns.tail import tail

MAX_LINE_CHARS = 300

# pytest's ExitCode.
_INTERRUPTED, _INTERNAL_ERROR, _USAGE_ERROR, _NO_TESTS = 2, 3, 4, 5
_ABNORMAL = frozenset({_INTERRUPTED, _INTERNAL_ERROR, _USAGE_ERROR})


def ended_by_signal(exit_code: int) -> str:
    """The name of the signal in an exit code, as `subprocess` (-11) or a shell (139) tells it.

    "" where the process ended by itself.
    """
    number = -exit_code if exit_code < 0 else exit_code - 128
    try:
        return signal.Signals(number).name if number > 0 else ""
    except ValueError:
        return ""


def explain_ending(
    outcomes: Mapping[str, Outcome],
    counts: Counts,
    log: str,
    *,
    exit_code: int | None,
    timed_out: bool,
    selection: Selection,
    runner: Runner,
) -> str:
    """The result in one line of at most `MAX_LINE_CHARS` characters: what ran, and why no more."""
    ran = f": {counts}" if counts.total else ""
    if timed_out:
        line = f"stopped at its time limit{ran or ' before its tests were counted'}"
    elif exit_code is not None and (name := ended_by_signal(exit_code)):
        line = f"ended by {name} (exit code {exit_code}){_about_signal(name)}{ran}"
    elif runner is not Runner.PYTEST:
        line = str(counts) if counts.total else _explain_nothing(exit_code, log)
    elif broken := _broken_files(outcomes):
        line = _explain_collection(broken, counts, log)
    elif exit_code in _ABNORMAL or not counts.total:
        line = _explain_exit(exit_code, counts, log, selection)
    else:
        line = str(counts)
    line = " ".join(line.split())
    return line if len(line) <= MAX_LINE_CHARS else line[: MAX_LINE_CHARS - 1] + "…"


def _about_signal(name: str) -> str:
    return {
        "SIGKILL": ", most likely out of memory",
        "SIGSEGV": ", a crash in native code",
        "SIGABRT": ", a crash in native code",
    }.get(name, "")


def _broken_files(outcomes: Mapping[str, Outcome]) -> list[str]:
    """The files (no test ids) that could not be collected."""
    return [
        test_id
        for test_id, outcome in outcomes.items()
        if outcome is Outcome.ERROR and "::" not in test_id
    ]


def _explain_collection(broken: list[str], counts: Counts, log: str) -> str:
    reason = collection_error(log, broken[0])
    more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
    others = f" ({counts})" if counts.total > len(broken) else ""
    return f"collection error in {broken[0]}{more}{f': {reason}' if reason else ''}{others}"


def _explain_exit(exit_code: int | None, counts: Counts, log: str, selection: Selection) -> str:
    ran = f": {counts}" if counts.total else ""
    code = "no exit code" if exit_code is None else f"exit code {exit_code}"
    if exit_code == _NO_TESTS:
        return f"no tests ran ({code}): {_why_none(counts, selection)}"
    if exit_code == _INTERRUPTED and (reason := why_stopped(log)):
        return f"interrupted by {reason} ({code}){ran}"
    if exit_code == _INTERRUPTED:
        return f"interrupted ({code}){ran}"
    if exit_code == _INTERNAL_ERROR and (reason := _last_line(log, "INTERNALERROR>")):
        return f"pytest failed inside itself ({code}): {reason}"
    if exit_code == _USAGE_ERROR:
        return f"pytest did not start its tests ({code}): {_usage_error(log)}"
    return str(counts) if counts.total else _explain_nothing(exit_code, log)


def _explain_nothing(exit_code: int | None, log: str) -> str:
    code = "no exit code" if exit_code is None else f"exit code {exit_code}"
    return f"no test has an outcome ({code}): {_last_line(log) or 'no output'}"


def _why_none(counts: Counts, selection: Selection) -> str:
    where = f" in {', '.join(selection.paths)}" if selection.paths else ""
    if selection.k and counts.deselected:
        return f"the selection -k {selection.k!r} matched none of {counts.deselected} tests{where}"
    if counts.deselected:
        return f"all {counts.deselected} tests{where} were deselected by the project's own options"
    return f"pytest found no tests{where or ' in the project'}"


def _usage_error(log: str) -> str:
    """The line that says what pytest did not accept."""
    lines = [line.strip() for line in tail(log, lines=60, chars=20_000).split("\n")]
    for mark in ("error: ", "ERROR: ", "E   "):
        for line in reversed(lines):
            if mark in line:
                return line[line.index(mark) + len(mark) :].strip()
    return _last_line(log) or "no output"


def _last_line(log: str, start: str = "") -> str:
    lines = tail(log, lines=200, chars=20_000).split("\n")
    found = [line for line in lines if line.startswith(start) and line.strip()]
    return found[-1].removeprefix(start).strip() if found else ""
