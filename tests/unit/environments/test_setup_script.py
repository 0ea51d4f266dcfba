"""What is read of a `setup.py` without running it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_runner.environments.setup_script import read_setup_script

LIST = {"requirements/tests.txt": "pytest\nmock\n", "requirements.txt": "six\n"}


@pytest.mark.parametrize(
    "text",
    [
        "setup(extras_require={'tests': ['pytest', 'mock']})",
        "T = ['pytest', 'mock']\nsetup(extras_require={'tests': T})",
        "T = ['pytest']\nsetup(extras_require=dict(tests=T + ['mock']))",
        "E = {}\nE['tests'] = ['pytest', 'mock']\nsetup(extras_require=E)",
        "E = {'tests': ['pytest']}\nE['tests'] += ['mock']\nsetup(extras_require=E)",
        "T = ['pytest']\nT.append('mock')\nsetup(extras_require={'tests': T})",
        "E = {}\nE.update({'tests': ['pytest', 'mock']})\nsetup(extras_require=E)",
        "E = {}\nE.update(tests=['pytest', 'mock'])\nsetup(extras_require=E)",
        "A = {'tests': ['pytest', 'mock']}\nsetup(extras_require={**A})",
        "A = {'tests': ['pytest', 'mock']}\nk = dict(extras_require=A)\nsetup(**k)",
        "E = {'t': ['pytest']}\nsetup(extras_require={'tests': E['t'] + ['mock']})",
        "setup(extras_require={'tests': read_requirements('requirements/tests.txt')})",
        "setup(extras_require={'tests': read('tests.txt')})",
        "T = open(os.path.join('requirements', 'tests.txt')).readlines()\n"
        "setuptools.setup(extras_require={'tests': T})",
        "def main():\n    setup(extras_require={'tests': 'pytest\\nmock'})",
    ],
)
def test_extras_are_read_however_they_are_made(text: str) -> None:
    lines = read_setup_script(text, LIST).extras["tests"]
    assert [line.strip() for line in lines if line.strip()] == ["pytest", "mock"]


def test_an_extra_that_is_computed_has_a_name_and_no_lines() -> None:
    text = "setup(extras_require={'tests': find_out(), 'all': sum(x, [])})"
    assert read_setup_script(text, {}).extras == {"tests": (), "all": ()}


def test_the_other_arguments_are_read() -> None:
    text = (
        "NAME = 'thing'\nsetup(name=NAME, python_requires='>=3.6', tests_require=['nose'],"
        " install_requires=open('requirements.txt').read().split(),"
        " classifiers=['Programming Language :: Python :: 3.7'])"
    )
    found = read_setup_script(text, LIST)
    assert (found.name, found.python_requires, found.tests_require) == ("thing", ">=3.6", ("nose",))
    assert found.install_requires[0] == "six"
    assert found.classifiers == ("Programming Language :: Python :: 3.7",)


@pytest.mark.parametrize("text", ["", "x = 1", "def broken(:", "x = '\0'", "print 'python 2'"])
def test_a_script_without_a_call_says_nothing(text: str) -> None:
    assert read_setup_script(text, {}).extras == {}


@pytest.mark.parametrize(
    "text", ["a = b\nb = a\nsetup(name=a)", "a = a + ['x']\nsetup(tests_require=a)"]
)
def test_names_that_go_in_circles_end(text: str) -> None:
    assert read_setup_script(text, {}).name == ""


@settings(deadline=None)
@given(st.dictionaries(st.text("abc", min_size=1), st.lists(st.text("xyz>=1. ", min_size=1))))
def test_a_literal_table_is_read_as_it_is(extras: dict[str, list[str]]) -> None:
    found = read_setup_script(f"setup(extras_require={extras!r})", {}).extras
    assert found == {name: tuple(lines) for name, lines in extras.items()}
