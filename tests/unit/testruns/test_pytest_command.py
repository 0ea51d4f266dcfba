"""What may and may not become part of pytest's command line."""

import pytest

from tools.errors import ToolRefusal
from tools.testruns.pytest_command import pytest_argv


def test_paths_come_last_and_the_report_is_asked_for() -> None:
    argv = pytest_argv(["tests/test_a.py::test_b[x y]", "./-odd.py"], "one or two", "/out/r.xml")
    assert argv[:3] == ("python", "-m", "pytest")
    assert argv[-3:] == ("-kone or two", "tests/test_a.py::test_b[x y]", "./-odd.py")
    assert "--junitxml=/out/r.xml" in argv
    assert "junit_family=xunit1" in argv


def test_callers_own_options_win_over_ours() -> None:
    argv = pytest_argv([], "", "/out/r.xml", extra=["--maxfail=1"])
    assert argv.index("--maxfail=0") < argv.index("--maxfail=1")


@pytest.mark.parametrize("k", ["", "  "])
def test_blank_expression_is_no_selection(k: str) -> None:
    assert not [word for word in pytest_argv([], k, "/r.xml") if word.startswith("-k")]


@pytest.mark.parametrize("k", ["-x", "--version", "@args", "a=b"])
def test_expression_cannot_become_a_word_of_its_own(k: str) -> None:
    assert pytest_argv([], k, "/r.xml")[-1] == f"-k{k}"


@pytest.mark.parametrize("path", ["-x", "--version", "-pplugin", "@args.txt", "", " ", "a\0b"])
def test_path_that_pytest_would_not_read_as_one_is_refused(path: str) -> None:
    with pytest.raises(ToolRefusal, match="swe_pytest did not run"):
        pytest_argv(["tests", path], "", "/r.xml")


def test_refusal_says_what_to_do_instead() -> None:
    with pytest.raises(ToolRefusal, match=r"use `k`.*write \./-kx.*docker_sh"):
        pytest_argv(["-kx"], "", "/r.xml")


def test_expression_with_nul_is_refused() -> None:
    with pytest.raises(ToolRefusal, match="`k`"):
        pytest_argv([], "a\0", "/r.xml")
