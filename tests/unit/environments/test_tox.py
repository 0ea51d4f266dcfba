"""What tox is told to install."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_runner.environments.tox import ToxEnvironment, read_tox

TOX = """
[tox]
envlist = py38
[testenv]
extras =
    tests
    lsof: lsof
deps =
    # a comment
    pytest>=6  # another
    py38: backport
    py{27,38}: both
    !py38: never
    xdist: pytest-xdist
    py38-xdist: combined
    -r requirements/test.txt
    -r{toxinidir}/./more.txt
    -e .[socks]
    {[other]deps}
    git+https://x/y#egg=z
[testenv:docs]
deps = sphinx-build
"""


def test_the_plain_environment_is_read() -> None:
    assert read_tox(TOX, "3.8") == ToxEnvironment(
        deps=("pytest>=6", "backport", "both"),
        lists=("requirements/test.txt", "more.txt"),
        extras=("tests", "socks"),
    )


def test_factors_are_of_the_python() -> None:
    assert read_tox(TOX, "3.9").deps == ("pytest>=6",)


@settings(deadline=None)
@given(st.text(st.characters(codec="ascii"), max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    found = read_tox("[testenv]\ndeps =\n    " + text, "3.9")
    assert all(line.strip() == line for line in found.deps)
