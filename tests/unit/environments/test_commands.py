"""What a test command itself needs."""

import pytest

from agent_runner.environments.commands import Needs, needs_of

SCRIPT = """\
python -m pip install -e .[test,extra.more]
git apply -v - <<'EOF'
-tox --old
+tox -e py27
 nox
EOF
tox --current-env -epy39 -v -- tests/test_a.py
git checkout x
"""


def test_a_script_is_read_for_its_command_and_not_for_its_patch() -> None:
    found = needs_of(SCRIPT)
    assert found.command == "tox --current-env -epy39 -v -- tests/test_a.py"
    assert found.requirements == ("tox", "tox-current-env")
    assert (found.python, found.extras) == ("3.9", ("test", "extra.more"))


def test_a_pytest_below_tox_is_told_to_list_its_tests_and_where_they_live() -> None:
    found = needs_of(SCRIPT).variables("3.9")
    assert "PYTEST_ADDOPTS=-rA" in found
    assert "PYTHONPATH=/opt/venv/lib/python3.9/site-packages" in found


@pytest.mark.parametrize(
    ("command", "requirements", "python"),
    [
        ("tox -e py310", ("tox",), "3.10"),
        ("A=1 B='x y' nox -s tests", ("nox",), ""),
        ("python -m nosetests x", ("nose",), ""),
        ("pytest -rA tests/test_tox.py", (), ""),
        ("./tests/runtests.py tox", (), ""),
    ],
)
def test_runners_are_told_from_their_arguments(
    command: str, requirements: tuple[str, ...], python: str
) -> None:
    found = needs_of(command)
    assert (found.requirements, found.python) == (requirements, python)
    assert found.variables("3.9") == ()


@pytest.mark.parametrize(
    ("line", "extras"),
    [
        ("python -m pip install -e '.[dev]'", ("dev",)),
        ("pip install .[a,b]", ("a", "b")),
        ("+pip install -e .[no]", ()),
        ("pip install other[x]", ()),
    ],
)
def test_extras_of_an_install_line(line: str, extras: tuple[str, ...]) -> None:
    assert needs_of(line) == Needs(extras=extras)


@pytest.mark.parametrize(
    ("command", "overrides"),
    [
        ("pytest -rA tests/test_a.py", ("pytest>=4.6,<5",)),
        ("A=1 python -m pytest --no-header -rA", ("pytest>=4.6,<5",)),
        ("tox --current-env -epy39 --", ("pytest>=4.6,<5",)),
        ("pytest tests", ()),
        ("+pytest -rA tests", ()),
    ],
)
def test_a_command_that_lists_its_tests_needs_a_pytest_that_can(
    command: str, overrides: tuple[str, ...]
) -> None:
    assert needs_of(command).overrides == overrides


@pytest.mark.parametrize(
    ("as_of", "line", "project", "overridden"),
    [
        ("2021-01-01", "pytest>=2.8,<=3.10.1", "thing", True),
        ("2021-01-01", "pytest==3.2.1", "thing", True),
        ("2021-01-01", "pytest<4; python_version>'3'", "thing", True),
        ("2021-01-01", "pytest==6.2.*", "thing", False),
        ("2021-01-01", "pytest>=2.8", "thing", False),
        ("2021-01-01", "pytest-cov<2", "thing", False),
        ("2021-01-01", "-r other.txt", "thing", False),
        ("2018-01-01T00:00:00Z", "pytest", "thing", True),
        ("2018-01-01T00:00:00Z", "pytest", "PyTest", False),
    ],
)
def test_it_takes_the_place_of_the_projects_own_only_where_that_is_too_old(
    as_of: str, line: str, project: str, overridden: bool
) -> None:
    needs = needs_of("pytest -rA x")
    assert bool(needs.overridden(as_of, [line], project)) is overridden


def test_plug_ins_pinned_beside_an_older_pytest_give_way_with_it() -> None:
    needs = needs_of("pytest -rA x")
    lines = ["pytest<=3.10.1", "pytest-cov==1.6", "pytest-mock", "pytest_xdist>=1"]
    assert needs.overridden("2021-01-01", lines, "thing") == ("pytest>=4.6,<5", "pytest-cov")
    assert needs.overridden("2021-01-01", lines[1:], "thing") == ()


@pytest.mark.parametrize(
    ("command", "as_of", "asked"),
    [
        ("pytest --no-header -rA a.py", "2021-05-07T00:00:00Z", ("pytest>=6.1",)),
        ("A=1 python3 -m pytest -rA --no-header", "2020-10-01T00:00:00Z", ("pytest>=6.1",)),
        ("pytest --no-header -rA a.py", "2020-09-01T00:00:00Z", ()),
        ("pytest -rA a.py", "2021-05-07T00:00:00Z", ()),
        ("+pytest --no-header", "2021-05-07T00:00:00Z", ()),
        ("pytest --no-headers", "2021-05-07T00:00:00Z", ()),
    ],
)
def test_an_option_asks_for_the_pytest_that_knows_it(
    command: str, as_of: str, asked: tuple[str, ...]
) -> None:
    assert needs_of(command).asked(as_of) == asked
