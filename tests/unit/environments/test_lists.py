"""Which files are lists of requirements, and for whom."""

import pytest

from agent_runner.environments.lists import (
    DEVELOPERS,
    TESTS,
    general_lists,
    includes,
    lines_of,
    lists_for,
    readable_lists,
    with_included,
)


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (("requirements.txt", "requirements-test.txt"), "requirements-test.txt"),
        (("requirements/tests.txt", "requirements/dev.txt"), "requirements/tests.txt"),
        (("requirements/tests.in", "requirements/tests.txt"), "requirements/tests.txt"),
        (("test-requirements.txt",), "test-requirements.txt"),
        (("requirements_test_min.txt", "requirements_test.txt"), "requirements_test.txt"),
        (("tests/requirements/py3.txt", "tests/requirements/postgres.txt"),
         "tests/requirements/py3.txt"),
        (("tests/requirements.txt",), "tests/requirements.txt"),
        (("tests.txt",), "tests.txt"),
        (("docs/requirements.txt", "requirements.in", "tests/data/test.txt"), ""),
        (("ci/tests.txt", "docs/test.txt"), ""),
        (("contest-requirements.txt", "latest.txt"), ""),
    ],
)  # fmt: skip
def test_the_list_for_tests_is_found_by_its_name(paths: tuple[str, ...], found: str) -> None:
    assert lists_for(TESTS, paths) == ((found,) if found else ())
    assert set(lists_for(TESTS, paths)) <= set(readable_lists(paths))


def test_developers_have_lists_of_their_own() -> None:
    paths = ("dev-requirements.txt", "requirements_dev.txt", "devel.txt")
    assert lists_for(DEVELOPERS, paths) == ("dev-requirements.txt",)
    assert lists_for(TESTS, paths) == ()


def test_the_general_list_is_one() -> None:
    assert general_lists(("a.py", "requirements/base.txt", "requirements.txt")) == (
        "requirements.txt",
    )
    assert general_lists(("a.py",)) == ()


def test_conda_environments_are_read_too() -> None:
    paths = ("ci/requirements/py39.yml", "environment.yml", "src/environment.py", "ci/deploy.sh")
    assert readable_lists(paths) == ["ci/requirements/py39.yml", "environment.yml"]


def test_a_list_brings_those_it_includes() -> None:
    files = {
        "requirements/test.txt": "-r base.txt\n--constraint=pins.txt\n-r ../more.txt\npytest\n",
        "requirements/base.txt": "-r test.txt\n-r absent.txt\n",
        "requirements/pins.txt": "",
        "more.txt": "",
        "other.txt": "",
    }
    assert set(with_included(("requirements/test.txt",), files)) == set(files) - {"other.txt"}


def test_only_lists_include() -> None:
    assert includes("a/b.in", "-r c.txt\n") == ["a/c.txt"]
    assert includes("ci/env.yml", "  -r c.txt\n") == []


def test_lines_are_those_that_require_something() -> None:
    assert lines_of("# a\n\n-r x\npytest>=3  # why\n  mock \n") == ("pytest>=3", "mock")
