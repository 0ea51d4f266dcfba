"""What a project's own files say of it."""

import pytest

from agent_runner.environments.metadata import Metadata, read_metadata, requirement_files

PROJECT = """
[project]
name = "thing"
[project.optional-dependencies]
docs = ["sphinx"]
testing = ["pytest"]
dev = ["ruff"]
[dependency-groups]
test = ["pytest-cov"]
lint = ["ruff"]
"""
SETUP_CFG = """
[metadata]
name = thing
[options.extras_require]
tests =
    pytest
docs = sphinx
"""
SETUP_PY = """
import setuptools
NAME = "thing"
extras = {"test": ["pytest"], "gpu": []}
if __name__ == "__main__":
    setuptools.setup(name=NAME, extras_require=extras, version=read("VERSION"))
"""


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            {"pyproject.toml": PROJECT, "setup.py": "setup(name='other')"},
            Metadata("thing", True, "pyproject.toml", ("testing", "dev"), ("test",)),
        ),
        ({"setup.cfg": SETUP_CFG}, Metadata("thing", True, "setup.cfg", ("tests",))),
        ({"setup.py": SETUP_PY}, Metadata("thing", True, "setup.py", ("test",))),
        (
            {"setup.cfg": SETUP_CFG, "setup.py": "from setuptools import setup\nsetup()"},
            Metadata("thing", True, "setup.py", ("tests",)),
        ),
        (
            {"setup.cfg": "[flake8]\nx = 1", "setup.py": "setup(name='thing')"},
            Metadata("thing", True, "setup.py"),
        ),
        ({}, Metadata()),
        ({"setup.py": "setup(**config())"}, Metadata("", True, "setup.py")),
    ],
)
def test_the_first_file_that_says_it_counts(files: dict[str, str], found: Metadata) -> None:
    assert read_metadata(files) == found


def test_a_pyproject_of_tools_alone_leaves_it_to_the_older_files() -> None:
    tools = "[tool.black]\nline-length = 88\n[dependency-groups]\ndev = ['ruff']\n"
    found = read_metadata({"pyproject.toml": tools, "setup.cfg": SETUP_CFG})
    assert found == Metadata("thing", True, "setup.cfg", ("tests",), ("dev",))
    assert read_metadata({"pyproject.toml": tools}) == Metadata(groups=("dev",))


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": "[project\n", "setup.py": "setup(name='thing')"},
        {"setup.cfg": "no section", "setup.py": "setup(name='thing')"},
    ],
)
def test_a_broken_file_does_not_hide_the_next(files: dict[str, str]) -> None:
    assert read_metadata(files).name == "thing"


@pytest.mark.parametrize("text", ["def broken(:", "x = '\0'", "print 'python 2'"])
def test_a_setup_that_cannot_be_read_is_left_to_the_build(text: str) -> None:
    assert read_metadata({"setup.py": text}) == Metadata("", True, "setup.py")


def test_no_code_of_the_project_is_run() -> None:
    text = "raise SystemExit(1)\nfrom setuptools import setup\nsetup(name='thing')"
    assert read_metadata({"setup.py": text}).name == "thing"


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (("requirements.txt", "requirements-test.txt"), ("requirements-test.txt",)),
        (("requirements/tests.txt", "requirements/dev.txt"), ("requirements/tests.txt",)),
        (("test-requirements.txt", "requirements.txt"), ("test-requirements.txt",)),
        (("requirements.txt", "src/a.py"), ("requirements.txt",)),
        (("docs/requirements.txt", "requirements.in"), ()),
    ],
)
def test_lists_for_tests_come_before_lists_for_all(
    paths: tuple[str, ...], found: tuple[str, ...]
) -> None:
    assert requirement_files(paths) == found


def test_where_nothing_is_installed_every_list_counts() -> None:
    paths = ("requirements.txt", "requirements-test.txt")
    assert set(requirement_files(paths, installable=False)) == set(paths)


def test_a_poetry_project_is_installable_and_named() -> None:
    text = '[tool.poetry]\nname = "Old-Thing"\n[build-system]\nrequires = ["poetry-core>=1.0"]\n'
    found = read_metadata({"pyproject.toml": text})
    assert (found.name, found.installable, found.source) == ("Old-Thing", True, "pyproject.toml")
    assert found.build_requires == ("poetry-core",)


def test_a_pyproject_that_only_configures_tools_installs_nothing() -> None:
    found = read_metadata({"pyproject.toml": "[tool.black]\nline-length = 99\n"})
    assert not found.installable
    assert found.source == ""
