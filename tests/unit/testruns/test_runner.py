"""Which projects bring a runner of their own, and how it is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import ToolRefusal
from tools.testruns.runner import (
    CHOOSES_BY_NAME,
    SCRIPTS,
    Runner,
    choose_runner,
    project_argv,
)

LABELS = b"#!/usr/bin/env python\nadd('--verbosity')\nadd('--settings')\nadd('--parallel')\n"
FILES = (
    b"#! /usr/bin/env python3\nadd('--verbose', '--no-colors')\nadd('-C', '--no-cache')\n"
    b"ok = package.test(*args)\n"
)
SCRIPT = LABELS + CHOOSES_BY_NAME
RUNTESTS, BIN_TEST = Runner.RUNTESTS.value, Runner.BIN_TEST.value


@pytest.mark.parametrize(
    ("scripts", "runner"),
    [
        ({}, Runner.PYTEST),
        ({RUNTESTS: LABELS}, Runner.RUNTESTS),
        ({BIN_TEST: FILES}, Runner.BIN_TEST),
        ({RUNTESTS: LABELS, BIN_TEST: FILES}, Runner.RUNTESTS),
        ({RUNTESTS: b"#!/usr/bin/env python\nimport unittest\nunittest.main()\n"}, Runner.PYTEST),
        ({RUNTESTS: LABELS + b"pytest.main()\n"}, Runner.PYTEST),
        ({BIN_TEST: b"#!/bin/sh\nexec python -m app.test --verbose\n"}, Runner.PYTEST),
        ({BIN_TEST: FILES.replace(b"python3", b"bash")}, Runner.PYTEST),
        ({BIN_TEST: FILES.replace(b"--no-cache", b"--cache")}, Runner.PYTEST),
        ({BIN_TEST: FILES + b"import pytest\n"}, Runner.PYTEST),
    ],
)
def test_runner_is_known_by_its_script(scripts: dict[str, bytes], runner: Runner) -> None:
    assert choose_runner(scripts) is runner


@given(st.dictionaries(st.sampled_from(SCRIPTS), st.binary()))
def test_any_script_is_looked_at(scripts: dict[str, bytes]) -> None:
    assert choose_runner(scripts) in Runner


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("tests/admin/test_a.py", "admin.test_a"),
        ("tests/admin", "admin"),
        ("tests/admin/", "admin"),
        ("./tests/admin/tests.py::Case::test_b", "admin.tests.Case.test_b"),
        ("tests/admin/tests.py::Case::test_b[x.y]", "admin.tests.Case.test_b"),
        ("admin.tests.Case", "admin.tests.Case"),
        ("admin", "admin"),
        ("admin/tests.py", "admin.tests"),
    ],
)
def test_paths_become_labels(path: str, label: str) -> None:
    argv = project_argv(Runner.RUNTESTS, [path], "", SCRIPT)
    assert argv == ("python", "tests/runtests.py", "--verbosity=2", "--parallel=1", label)


def test_words_become_patterns_of_a_runner_with_labels() -> None:
    argv = project_argv(Runner.RUNTESTS, ["tests/a"], "one or two", SCRIPT)
    assert argv[-5:] == ("-k", "one", "-k", "two", "a")


@pytest.mark.parametrize(
    ("paths", "k", "chosen", "files"),
    [
        ((), "", (), ()),
        (("a/tests/test_b.py", "./c"), "", (), ("a/tests/test_b.py", "c")),
        (("a.py::test_x",), "", ("-k", "test_x"), ("a.py",)),
        (("a.py::test_x[1]", "b.py::test_x"), "", ("-k", "test_x"), ("a.py", "b.py")),
        (("a.py",), "word", ("-k", "word"), ("a.py",)),
    ],
)
def test_files_and_one_word_are_given_to_bin_test(
    paths: tuple[str, ...], k: str, chosen: tuple[str, ...], files: tuple[str, ...]
) -> None:
    fixed = ("--verbose", "--no-colors", "--no-cache")
    argv = ("python", "bin/test", *chosen, *fixed, *files)
    assert project_argv(Runner.BIN_TEST, paths, k, SCRIPT) == argv


@pytest.mark.parametrize(
    ("paths", "k"),
    [((), "a or b"), (("x.py::a", "x.py::b"), ""), (("x.py::a",), "b")],
)
def test_more_than_one_word_is_refused_by_bin_test(paths: tuple[str, ...], k: str) -> None:
    with pytest.raises(ToolRefusal, match="one word"):
        project_argv(Runner.BIN_TEST, paths, k, SCRIPT)


def test_words_are_refused_by_a_runner_that_would_take_them_for_labels() -> None:
    with pytest.raises(ToolRefusal, match="cannot select by name"):
        project_argv(Runner.RUNTESTS, ["tests/a"], "one", LABELS)
    assert project_argv(Runner.RUNTESTS, ["tests/a"], " ", LABELS)[-1] == "a"


@pytest.mark.parametrize("k", ["not a", "a and b", "(a)", "-x", "a b", "or", "not"])
def test_expression_that_is_more_than_words_is_refused(k: str) -> None:
    with pytest.raises(ToolRefusal, match="joined with `or`"):
        project_argv(Runner.RUNTESTS, (), k, SCRIPT)


@pytest.mark.parametrize("runner", [Runner.RUNTESTS, Runner.BIN_TEST])
@pytest.mark.parametrize("path", ["-x", "--settings=evil", "", " ", "a\0b", "@a", "./-x"])
def test_path_that_would_be_an_option_is_refused(runner: Runner, path: str) -> None:
    with pytest.raises(ToolRefusal, match="swe_pytest did not run"):
        project_argv(runner, ["a", path], "", SCRIPT)


def test_all_tests_are_not_asked_for_by_their_directory() -> None:
    with pytest.raises(ToolRefusal, match="no `paths`"):
        project_argv(Runner.RUNTESTS, ["tests/"], "", SCRIPT)


@given(st.sampled_from([Runner.RUNTESTS, Runner.BIN_TEST]), st.lists(st.text()), st.text())
def test_nothing_asked_for_becomes_an_option_of_its_own(
    runner: Runner, paths: list[str], k: str
) -> None:
    try:
        argv = project_argv(runner, paths, k, SCRIPT)
    except ToolRefusal:
        return
    known = {"--verbosity=2", "--parallel=1", "--verbose", "--no-colors", "--no-cache", "-k"}
    assert {word for word in argv if word.startswith("-")} <= known
    assert all(word.strip() for word in argv)
