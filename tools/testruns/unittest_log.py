"""unittest's output, which Django's runner prints as well, read for outcomes.

With `-v` each test has a line `name (module.Class) ... ok`. The first line of a docstring stands on
a line of its own in between, what the test prints between `...` and the word. Before Python 3.11 a
test with a failed subtest has no word at all, nor a line break. A failure or an error has a block
headed `FAIL: name (module.Class)` besides.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise, takewhile, zip_longest

from tools.testruns.ansi import strip_ansi
from tools.testruns.outcome import Counts, Outcome, decisive
from tools.testruns.reading import Closing, Reading

_ID = r"[^\s()]+ \([^\s()]+\)"
_TEST = re.compile(_ID)
_BLOCK = re.compile(rf"(?P<word>FAIL|ERROR|UNEXPECTED SUCCESS): (?P<id>{_ID})(?: .*)?")
_FIXTURE = re.compile(r"(?:setUp|tearDown)(?:Class|Module) ")
_RULE = "=" * 70
_RAN = re.compile(r"Ran ([0-9]{1,9}) tests? in [0-9.]+s")
_VERDICT = re.compile(r"(?:OK|FAILED|NO TESTS RAN)(?: \((?P<counts>[a-z0-9=, ]+)\))?")
_COUNT = re.compile(r"([a-z ]+)=([0-9]{1,9})")
# unittest fails a run for an unexpected success.
_WORDS = {
    "ok": Outcome.PASSED,
    "FAIL": Outcome.FAILED,
    "ERROR": Outcome.ERROR,
    "expected failure": Outcome.XFAILED,
    "unexpected success": Outcome.FAILED,
    "UNEXPECTED SUCCESS": Outcome.FAILED,
}
_ENDING = re.compile(r"(?:.*[^\w])?(ok|FAIL|ERROR|expected failure|unexpected success)")
_SKIPPED = re.compile(r"(?:.*[^\w])?skipped(?: ['\"].*)?")


def read_unittest_log(text: str) -> Reading:
    """What unittest printed; the ids are `name (module.Class)` as it prints them."""
    lines = [line.rstrip("\r") for line in strip_ansi(text).split("\n")]
    statuses, closing = list(_statuses(lines)), _closing(lines)
    recorded: dict[str, list[Outcome]] = {}
    for test_id, outcome in (*statuses, *_blocks(lines)):
        recorded.setdefault(test_id, []).append(outcome)
    outcomes = {test_id: decisive(found) for test_id, found in recorded.items()}
    counts = Counts.of(outcomes.values()) if outcomes else None
    if closing and not statuses:
        # Before Python 3.11 an unexpected success has no block.
        listed = sum(line.startswith("UNEXPECTED SUCCESS: ") for line in lines)
        counts = _without_statuses(outcomes, closing, max(0, closing.unexpected - listed))
    return Reading(outcomes, counts, closing)


def _without_statuses(outcomes: Mapping[str, Outcome], closing: Closing, unlisted: int) -> Counts:
    """Counts without `-v`: tests that failed have blocks, the others are in the closing line.

    That line counts failed subtests, too, and its `Ran` no setUpClass.
    """
    bad = Counts.of(outcomes.values())
    ran_bad = sum(not _FIXTURE.match(test_id) for test_id in outcomes) + unlisted
    rest = closing.ran - ran_bad - closing.counts.skipped - closing.counts.xfailed
    return replace(
        bad,
        passed=max(0, rest),
        failed=bad.failed + unlisted,
        skipped=closing.counts.skipped,
        xfailed=closing.counts.xfailed,
    )


def _statuses(lines: list[str]) -> Iterator[tuple[str, Outcome]]:
    """Each test with the word on its own line, or on a later one before the next test's."""
    waiting = ""
    for line, following in zip_longest(lines, lines[1:], fillvalue=""):
        begun = list(takewhile(_TEST.fullmatch, f"{line} ".split(" ... ")[:-1]))
        if begun:
            waiting = begun[-1]
        elif _TEST.fullmatch(line.rstrip()) and " ... " in f"{following} ":
            waiting = line.rstrip()  # the next line is the docstring's
        outcome = _outcome(line.strip()) if waiting else None
        if outcome:
            yield waiting, outcome
            waiting = ""


def _outcome(status: str) -> Outcome | None:
    if found := _ENDING.fullmatch(status):
        return _WORDS[found[1]]
    return Outcome.SKIPPED if _SKIPPED.fullmatch(status) else None


def _blocks(lines: list[str]) -> Iterator[tuple[str, Outcome]]:
    for rule, heading in pairwise(lines):
        if rule == _RULE and (block := _BLOCK.fullmatch(heading)):
            yield block["id"], _WORDS[block["word"]]


def _closing(lines: list[str]) -> Closing | None:
    """The last `Ran 3 tests in 0.1s` with its verdict, which stands two lines below."""
    for number in reversed(range(len(lines) - 2)):
        ran = _RAN.fullmatch(lines[number])
        verdict = _VERDICT.fullmatch(lines[number + 2]) if ran else None
        if ran and verdict:
            return _count(int(ran[1]), verdict["counts"] or "")
    return None


def _count(ran: int, text: str) -> Closing:
    found = {word.strip(): int(number) for word, number in _COUNT.findall(text)}
    unexpected = found.get("unexpected successes", 0)
    failed = found.get("failures", 0) + unexpected
    error, skipped = found.get("errors", 0), found.get("skipped", 0)
    xfailed = found.get("expected failures", 0)
    passed = max(0, ran - failed - error - skipped - xfailed)
    return Closing(Counts(passed, failed, error, skipped, xfailed), ran, unexpected)
