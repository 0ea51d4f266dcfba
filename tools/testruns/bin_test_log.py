"""The output of SymPy's `bin/test --verbose`, read for outcomes.

A file begins with `path.py[9]`, each test in it has a line of its name and a letter, after what the
test prints; failed tests are named once more as `path.py:name` above their tracebacks, and the run
ends with `tests finished: 3 passed, 1 failed, in 0.02 seconds`, broken into lines where it is long.
"""

import re
from collections.abc import Iterator

from tools.testruns.ansi import strip_ansi
from tools.testruns.outcome import Counts, Outcome, decisive
from tools.testruns.reading import Closing, Reading

_FILE = re.compile(r"(?P<path>\S+\.py)\[(?P<tests>[0-9]+|\?)\](?P<rest>.*)")
_TEST = re.compile(r"(?P<name>test\w*)(?P<rest>(?: .*)?)")
_BLOCK = re.compile(r"_+ (?P<path>\S+\.py):(?P<name>\w+) _+")
_CLOSING = re.compile(r"tests finished: ((?:[0-9]{1,9} [a-z ]+,\s{1,2}){1,8})in [0-9.]+ seconds")
_COUNT = re.compile(r"([0-9]{1,9}) ([a-z ]+),")
_LETTERS = {
    "ok": Outcome.PASSED,
    "F": Outcome.FAILED,
    "E": Outcome.ERROR,
    "T": Outcome.ERROR,
    "f": Outcome.XFAILED,
    "X": Outcome.XPASSED,
    "s": Outcome.SKIPPED,
    "w": Outcome.SKIPPED,
    "K": Outcome.SKIPPED,
}


def read_bin_test_log(text: str) -> Reading:
    """What `bin/test --verbose` printed; ids are `path.py::name`, a file's own is its path."""
    lines = [line.rstrip("\r") for line in strip_ansi(text).split("\n")]
    outcomes = dict(_statuses(lines))
    for line in lines:
        if block := _BLOCK.fullmatch(line):
            test_id = f"{block['path']}::{block['name']}"
            # The heading does not say which of the two it is; the letter does.
            known = outcomes.get(test_id, Outcome.FAILED)
            outcomes[test_id] = decisive([known, Outcome.ERROR])
    closing = _closing("\n".join(lines))
    if outcomes:
        return Reading(outcomes, Counts.of(outcomes.values()), closing)
    return Reading({}, closing.counts if closing else None, closing)


def _statuses(lines: list[str]) -> Iterator[tuple[str, Outcome]]:
    """Each test with the letter on its line, and again with one that stands on a later line."""
    path = waiting = ""
    for line in lines:
        if file := _FILE.fullmatch(line):
            path, waiting = file["path"], ""
            if file["tests"] == "?":
                yield path, Outcome.ERROR
            continue
        status = line.rstrip().removesuffix("[OK]").removesuffix("[FAIL]").rstrip()
        if path and (test := _TEST.fullmatch(status)):
            waiting, status = f"{path}::{test['name']}", test["rest"]
        elif status.startswith(("____", "====", " tests finished: ")):
            path = waiting = ""
        letter = status.rpartition(" ")[2]
        if waiting and letter in _LETTERS:
            yield waiting, _LETTERS[letter]


def _closing(text: str) -> Closing | None:
    found = [match[1] for match in _CLOSING.finditer(text)]
    if not found:
        return None
    counted: dict[str, int] = {}
    for number, word in _COUNT.findall(found[-1]):
        # Tests and doctests that failed are counted apart, with the same word.
        counted[word] = counted.get(word, 0) + int(number)
    counts = Counts(
        passed=counted.get("passed", 0),
        failed=counted.get("failed", 0),
        error=counted.get("exceptions", 0),
        skipped=counted.get("skipped", 0),
        xfailed=counted.get("expected to fail", 0),
        xpassed=counted.get("expected to fail but passed", 0),
    )
    return Closing(counts, counts.total)
