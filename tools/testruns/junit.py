"""The JUnit report that pytest writes, read back into node ids.

pytest turns `a/test_b.py::C::test[x]` into `classname="a.test_b.C" name="test[x]"`; with
`junit_family=xunit1` it adds the file that defines the test, which is another one where the test is
inherited. Characters that XML cannot hold become `#x1B`. Both lose something, so ids that are known
from elsewhere (the log, the task) come first, and the rest are rebuilt.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.parsers import expat

from tools.testruns.outcome import Outcome, decisive

MAX_REPORT_BYTES = 64 * 1024 * 1024

# What XML cannot hold, and all beyond U+FFFF, which pytest 6 to 8 escapes as well.
_ESCAPED = re.compile(r"[^\t\n\r\x20-\x7e\x80-\ud7ff\ue000-\ufffd]")
# pytest before 6 writes line breaks into attributes as they are; XML reads those as spaces.
_LINE_BREAK = re.compile(r"[\t\n\r]")


class ReportError(Exception):
    """The report cannot be used: empty, cut, too large, not JUnit, or with a DTD; says which."""


@dataclass(frozen=True)
class _Case:
    """A `<testcase>` element; two of them may be about one test."""

    classname: str
    name: str
    file: str
    outcome: Outcome


def read_junit(xml: bytes, known: Iterable[str] = ()) -> dict[str, Outcome]:
    """How each test in the report ended, by node id, in the report's order.

    Works for `xunit1` and `xunit2` from pytest 3.10 to 9. A test with several records gets the
    decisive one. JUnit has no word for a non-strict XPASS: it reads as passed. An id that `known`
    does not settle keeps pytest's `#x1B` for a control character.

    Args:
        xml: the file's content.
        known: node ids that may occur; they settle what the report leaves open.

    Raises:
        ReportError: the file is no complete JUnit report.
    """
    cases = _parse(xml)
    by_address = {_address(test_id): test_id for test_id in known}
    files = {case.file for case in cases if case.file}
    recorded: dict[str, list[Outcome]] = {}
    for case in cases:
        address = (_as_attribute(case.classname), _as_attribute(case.name))
        test_id = by_address.get(address) or _rebuild(case, files)
        recorded.setdefault(test_id, []).append(case.outcome)
    return {test_id: decisive(outcomes) for test_id, outcomes in recorded.items()}


def _address(test_id: str) -> tuple[str, str]:
    """The class name and name that pytest's report gives a node id."""
    path, bracket, parameters = test_id.partition("[")
    names = path.split("::")
    names[0] = _dotted(names[0])
    names[-1] += bracket + parameters
    return _as_attribute(".".join(names[:-1])), _as_attribute(names[-1])


def _dotted(path: str) -> str:
    return path.replace("/", ".").removesuffix(".py")


def _as_attribute(text: str) -> str:
    """`text` as pytest escapes it, in one form for all versions; that form stays as it is."""
    escaped = _ESCAPED.sub(
        lambda match: f"#x{ord(match[0]):0{2 if ord(match[0]) <= 0xFF else 4}X}", text
    )
    return _LINE_BREAK.sub(" ", escaped)


def _rebuild(case: _Case, files: Iterable[str]) -> str:
    """The node id of a case that nothing else names."""
    if not case.classname:  # a file or directory that could not be collected, or was skipped whole
        return case.file or f"{case.name.replace('.', '/')}.py"
    fitting = [
        path
        for path in files
        if case.classname == _dotted(path) or case.classname.startswith(f"{_dotted(path)}.")
    ]
    path = case.file if case.file in fitting else max(fitting, key=len, default="")
    if not path:
        path = _guess_path(case.classname)
    classes = case.classname[len(_dotted(path)) + 1 :]
    return "::".join([path, *(classes.split(".") if classes else []), case.name])


def _guess_path(classname: str) -> str:
    """The file part of a dotted name, by pytest's default names of files and of classes."""
    segments = classname.split(".")
    modules = [i for i, segment in enumerate(segments) if re.search("^test_|_test$", segment)]
    classes = [i for i, segment in enumerate(segments) if segment[:1].isupper()]
    end = modules[-1] + 1 if modules else (classes[0] if classes else len(segments))
    return "/".join(segments[: end or 1]) + ".py"


def _parse(xml: bytes) -> list[_Case]:
    if len(xml) > MAX_REPORT_BYTES:
        raise ReportError(f"the report has {len(xml)} bytes, more than {MAX_REPORT_BYTES}")
    reader = _CaseReader()
    try:
        reader.feed(xml)
    except expat.ExpatError as error:
        raise ReportError(f"the report is not complete XML: {error}") from error
    return reader.cases


class _CaseReader:
    """Collects test cases from parse events, so that tracebacks in the report cost no memory."""

    def __init__(self) -> None:
        self.cases: list[_Case] = []
        self._depth = 0
        self._case_depth = 0
        self._attributes: Mapping[str, str] = {}
        self._outcomes: list[Outcome] = []

    def feed(self, xml: bytes) -> None:
        """Read a whole report.

        Raises:
            ReportError: it is not JUnit, or declares a document type.
            expat.ExpatError: it is not well-formed.
        """
        parser = expat.ParserCreate("utf-8")
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.Parse(xml, True)

    def _refuse_doctype(self, *_: object) -> None:
        raise ReportError("the report declares a document type, which pytest never does")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and tag not in {"testsuites", "testsuite"}:
            raise ReportError(f"the report's root is <{tag}>, not <testsuites>")
        if tag == "testcase" and not self._case_depth:
            self._case_depth, self._attributes, self._outcomes = self._depth, attributes, []
        elif self._case_depth and self._depth == self._case_depth + 1:
            self._outcomes += _child_outcome(tag, attributes)

    def _end(self, _tag: str) -> None:
        if self._depth == self._case_depth:
            self._case_depth = 0
            self._add_case()
        self._depth -= 1

    def _add_case(self) -> None:
        name, classname = self._attributes.get("name", ""), self._attributes.get("classname", "")
        file = self._attributes.get("file", "")
        # After an internal error pytest writes a case without a name and one "pytest.internal".
        if not name or (classname, name, file) == ("pytest", "internal", ""):
            return
        outcome = decisive(self._outcomes) if self._outcomes else Outcome.PASSED
        self.cases.append(_Case(classname, name, file, outcome))


def _child_outcome(tag: str, attributes: Mapping[str, str]) -> list[Outcome]:
    if tag == "skipped":
        # pytest before 4.4 gives an expected failure no type.
        kind = attributes.get("type") or attributes.get("message")
        expected = kind in {"pytest.xfail", "expected test failure"}
        return [Outcome.XFAILED if expected else Outcome.SKIPPED]
    return {"failure": [Outcome.FAILED], "error": [Outcome.ERROR]}.get(tag, [])
