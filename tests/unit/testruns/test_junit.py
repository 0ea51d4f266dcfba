"""Reports that pytest did not write, or not to the end, and ids that reports hide."""

from xml.sax.saxutils import quoteattr

import pytest
from _pytest.junitxml import bin_xml_escape, mangle_test_address
from hypothesis import given
from hypothesis import strategies as st

from tools.testruns import junit
from tools.testruns.junit import ReportError, read_junit
from tools.testruns.outcome import Outcome

DTD = '<!DOCTYPE testsuites [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def _suite(*cases: str) -> bytes:
    return f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>".encode()


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (b"", "not complete XML"),
        (b"\x00\xff\xfe", "not complete XML"),
        (_suite('<testcase classname="a" name="b"/>')[:-20], "not complete XML"),
        (_suite() + b"more", "not complete XML"),
        (b"<html></html>", "<html>"),
        (DTD.encode() + b"<testsuites>&b;</testsuites>", "document type"),
        (b'<!DOCTYPE t SYSTEM "file:///etc/hostname"><testsuites/>', "document type"),
        (b'<?xml version="1.0" encoding="nonsense"?><testsuites>\xff</testsuites>', "XML"),
    ],
)
def test_unusable_report_is_refused_with_its_reason(report: bytes, reason: str) -> None:
    with pytest.raises(ReportError, match=reason):
        read_junit(report)


def test_oversized_report_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "MAX_REPORT_BYTES", 30)
    with pytest.raises(ReportError, match="more than 30"):
        read_junit(_suite())


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_input_crashes_the_reader(noise: bytes) -> None:
    for report in (noise, b"<testsuites>" + noise, b"<testsuites>" + noise + b"</testsuites>"):
        try:
            outcomes = read_junit(report, known=["a.py::b"])
        except ReportError:
            continue
        assert all(isinstance(outcome, Outcome) for outcome in outcomes.values())


def _as_pytest_writes(test_id: str) -> bytes:
    names = [bin_xml_escape(name) for name in mangle_test_address(test_id)]
    classname, name, file = (
        quoteattr(text) for text in (".".join(names[:-1]), names[-1], test_id.partition("::")[0])
    )
    return _suite(f"<testcase classname={classname} name={name} file={file}/>")


PARAMETERS = st.text(st.characters(exclude_categories=["Cs"])).map("a/test_b.py::C::t[{}]".format)


@given(PARAMETERS)
def test_known_id_makes_the_round_trip(test_id: str) -> None:
    assert list(read_junit(_as_pytest_writes(test_id), known=["x.py::t", test_id])) == [test_id]


@given(PARAMETERS)
def test_unknown_id_keeps_only_pytests_own_escapes(test_id: str) -> None:
    assert list(read_junit(_as_pytest_writes(test_id))) == [bin_xml_escape(test_id)]


def test_skips_and_expected_failures_differ() -> None:
    report = _suite(
        '<testcase classname="t" name="a"><skipped type="pytest.skip" message=""/></testcase>',
        '<testcase classname="t" name="b"><skipped type="pytest.xfail" message=""/></testcase>',
    )
    assert read_junit(report) == {"t.py::a": Outcome.SKIPPED, "t.py::b": Outcome.XFAILED}


def test_several_records_of_a_test_amount_to_the_worst_that_happened() -> None:
    failed = '<testcase classname="t" name="a"><failure/></testcase>'
    error = '<testcase classname="t" name="a"><error/></testcase>'
    passed = '<testcase classname="t" name="a"/>'
    assert read_junit(_suite(error, failed)) == {"t.py::a": Outcome.FAILED}
    assert read_junit(_suite(passed, error)) == {"t.py::a": Outcome.ERROR}
    both = '<testcase classname="t" name="a"><error/><failure/></testcase>'
    assert read_junit(_suite(both)) == {"t.py::a": Outcome.FAILED}


def test_elements_deeper_in_a_case_are_not_its_outcome() -> None:
    case = '<testcase classname="t" name="a"><properties><failure/></properties></testcase>'
    assert read_junit(_suite(case)) == {"t.py::a": Outcome.PASSED}


def test_internal_error_of_pytest_is_no_test() -> None:
    report = _suite(
        '<testcase time="0"/>',
        '<testcase classname="pytest" name="internal"><error message="x"/></testcase>',
    )
    assert read_junit(report) == {}


@pytest.mark.parametrize(
    ("classname", "file", "expected"),
    [
        ("tests.test_a.TestX", "tests/test_a.py", "tests/test_a.py::TestX::t"),
        ("tests.test_a.TestX", "shared/base.py", "tests/test_a.py::TestX::t"),
        ("Lib.tests.a_test", "", "Lib/tests/a_test.py::t"),
        ("pkg.module.Check", "", "pkg/module.py::Check::t"),
        ("pkg.module", "", "pkg/module.py::t"),
        ("a.b.test_c", "a.b/test_c.py", "a.b/test_c.py::t"),
        ("docs.index.rst", "docs/index.rst", "docs/index.rst::t"),
        ("Check", "", "Check.py::t"),
    ],
)
def test_id_is_rebuilt_from_class_and_file(classname: str, file: str, expected: str) -> None:
    attribute = f' file="{file}"' if file else ""
    report = _suite(f'<testcase classname="{classname}" name="t"{attribute}/>')
    assert list(read_junit(report)) == [expected]


def test_file_of_another_case_tells_where_an_inherited_test_belongs() -> None:
    report = _suite(
        '<testcase classname="checks.Alpha.Beta" name="own" file="checks/Alpha.py"/>',
        '<testcase classname="checks.Alpha.Beta" name="inherited" file="base.py"/>',
    )
    assert list(read_junit(report)) == [
        "checks/Alpha.py::Beta::own",
        "checks/Alpha.py::Beta::inherited",
    ]


def test_cases_own_file_wins_over_a_longer_one_that_fits() -> None:
    report = _suite(
        '<testcase classname="a.B" name="in_class" file="a.py"/>',
        '<testcase classname="a.B" name="in_file" file="a/B.py"/>',
    )
    assert list(read_junit(report)) == ["a.py::B::in_class", "a/B.py::in_file"]


def test_directory_that_could_not_be_collected_keeps_its_path() -> None:
    case = '<testcase classname="" name="tests.sub" file="tests/sub"><error/></testcase>'
    assert read_junit(_suite(case)) == {"tests/sub": Outcome.ERROR}
