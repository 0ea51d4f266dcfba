"""pytest's terminal output, read for outcomes where there is no report and to check one there is.

Only two places count: the last section headed `short test summary info` (what `-rA` asks for), up
to pytest's closing line, and the last closing line itself. What tests print stands before them.
"""

import re
from collections.abc import Collection, Iterator, Set
from dataclasses import replace

from tools.testruns.ansi import strip_ansi
from tools.testruns.node_id import is_complete
from tools.testruns.outcome import Counts, Outcome, decisive

_SECTION = re.compile(r"=+ short test summary info =+")
_CLOSING = re.compile(
    r"(?:=+ )?(?P<counts>no tests (?:ran|collected)|[0-9]+ [a-z ]+(?:, [0-9]+ [a-z ]+)*)"
    r" in [0-9.]+ ?s(?:econds)?(?: \([0-9:, a-z]+\))?(?: =+)?"
)
_COUNT = re.compile(r"([0-9]{1,9}) ([a-z ]+)")
_STOPPED = re.compile(r"!{3,} (?:_pytest\.outcomes\.|Interrupted: )?(.+?) !{3,}")
_RESULT = re.compile(r"(PASSED|FAILED|FAIL|ERROR|XFAIL|XPASS) (\S.*)")
# pytest 9 and pytest-subtests name the subtest before the id: `SUBFAILED[row] (i=1) t.py::test_a`.
_SUBTEST = re.compile(
    r"(?:\[.{0,200}?\] )?SUBFAIL(?:ED)?(?:\[.{0,200}?\])?(?: ?\(.{0,200}?\))?(?:<\w+>)? (\S.*)"
)
_SKIPPED = re.compile(r"SKIPPED \[([0-9]{1,9})\] ")
_WORDS = {
    "PASSED": Outcome.PASSED,
    "FAILED": Outcome.FAILED,
    "FAIL": Outcome.FAILED,  # pytest 3
    "ERROR": Outcome.ERROR,
    "XFAIL": Outcome.XFAILED,
    "XPASS": Outcome.XPASSED,
}


def read_pytest_log(text: str, expected: Collection[str] = ()) -> dict[str, Outcome]:
    """How each test in the summary section ended, by node id; skipped tests have no id there.

    A line is `PASSED id` or `FAILED id - message`, and an id may itself contain ` - `: a complete
    id of `expected` is preferred, then the shortest reading whose brackets close. An id that holds
    a line break is cut at it. Empty where the log has no such section.
    """
    complete = {test_id for test_id in expected if is_complete(test_id)}
    recorded: dict[str, list[Outcome]] = {}
    for outcome, rest in _results(text):
        test_id = rest.rstrip() if outcome is Outcome.PASSED else _choose_id(rest, complete)
        recorded.setdefault(test_id, []).append(outcome)
    return {test_id: decisive(outcomes) for test_id, outcomes in recorded.items()}


def read_log_counts(text: str) -> Counts | None:
    """The counts of the last closing line: `=== 1 failed, 3 passed in 0.12s ===`, `=` or not.

    Where that is missing (`-qq`), those of the summary section; None where there is neither.
    Warnings, reruns and subtests are no tests and are left out.
    """
    for line in reversed(_lines(text)):
        if closing := _CLOSING.fullmatch(line):
            return _counts(closing["counts"])
    section = _section(text)
    if section is None:
        return None
    skipped = sum(int(found[1]) for line in section if (found := _SKIPPED.match(line)))
    return replace(Counts.of(read_pytest_log(text).values()), skipped=skipped)


def read_log_tests(text: str) -> Counts | None:
    """As `read_log_counts`, but each test once where the section accounts for the closing line.

    pytest counts records there: a test that passed, or failed, and then had an error in teardown
    is two of them, and so is one with a failed subtest.
    """
    closing = read_log_counts(text)
    records = [outcome for outcome, _ in _results(text)]
    if closing is None or Counts.of(records) != replace(closing, skipped=0, deselected=0):
        return closing
    tests = Counts.of(read_pytest_log(text).values())
    return replace(tests, skipped=closing.skipped, deselected=closing.deselected)


def collection_error(text: str, path: str) -> str:
    """What kept `path` from being collected: its exception, or the first line without one.

    "" where the log does not show it.
    """
    found = first = ""
    inside = False
    for line in _lines(text):
        if re.fullmatch(r"[_=]{2,} .+ [_=]{2,}", line):
            inside = f" ERROR collecting {path} " in line
        elif inside and line.startswith("E   "):
            found = line[1:].strip()
        elif inside and not first:
            first = line.strip()
    return found or first


def why_stopped(text: str) -> str:
    """What pytest gives in its line of `!` as the reason of an early end, "" without one."""
    stops = [stop[1] for line in _lines(text) if (stop := _STOPPED.fullmatch(line))]
    return stops[-1] if stops else ""


def _lines(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in strip_ansi(text).split("\n")]


def _section(text: str) -> list[str] | None:
    """The lines after the last section header, up to the closing line."""
    lines = _lines(text)
    starts = [i for i, line in enumerate(lines) if _SECTION.fullmatch(line)]
    if not starts:
        return None
    section = lines[starts[-1] + 1 :]
    end = next((i for i, line in enumerate(section) if _CLOSING.fullmatch(line)), len(section))
    return section[:end]


def _results(text: str) -> Iterator[tuple[Outcome, str]]:
    for line in _section(text) or ():
        if result := _RESULT.fullmatch(line):
            yield _WORDS[result[1]], result[2]
        elif subtest := _SUBTEST.fullmatch(line):
            yield Outcome.FAILED, subtest[1]


def _choose_id(rest: str, expected: Set[str]) -> str:
    """The node id at the start of what follows the status word."""
    parts = rest.split(" - ")
    readings = [" - ".join(parts[: i + 1]).rstrip() for i in range(min(len(parts), 32))]
    for reading in reversed(readings):
        if reading in expected:
            return reading
    return next((reading for reading in readings if is_complete(reading)), readings[0])


def _counts(text: str) -> Counts:
    found = {word.strip(): int(number) for number, word in _COUNT.findall(text)}
    return Counts(
        passed=found.get("passed", 0),
        failed=found.get("failed", 0),
        error=found.get("error", 0) + found.get("errors", 0),
        skipped=found.get("skipped", 0),
        xfailed=found.get("xfailed", 0),
        xpassed=found.get("xpassed", 0),
        deselected=found.get("deselected", 0),
    )
