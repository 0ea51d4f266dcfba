"""What a project's own files say of it."""

import pytest

from agent_runner.environments.metadata import Metadata, for_developers, for_tests, read_metadata

PROJECT = """
[project]
name = "thing"
requires-python = ">=3.8"
dependencies = ["six"]
classifiers = ["Programming Language :: Python :: 3.9"]
[project.optional-dependencies]
docs = ["sphinx"]
testing = ["pytest"]
[tool.setuptools.dynamic.optional-dependencies]
dev = {file = ["dev.txt"]}
[dependency-groups]
test = ["pytest-cov", {include-group = "lint"}]
lint = ["ruff"]
"""
SETUP_CFG = """
[metadata]
name = thing
classifiers =
    Programming Language :: Python :: 3.7
[options]
python_requires = >=3.6
install_requires =
    six  # why
tests_require = nose
[options.extras_require]
tests =
    pytest
    # a comment
    old;python_version<"3.8"
docs = sphinx
"""
SETUP_PY = """
import setuptools
NAME = "thing"
extras = {"test": ["pytest"], "gpu": [], ":python_version<'3'": ["x"]}
if __name__ == "__main__":
    setuptools.setup(name=NAME, extras_require=extras, version=read("VERSION"))
"""


def brief(found: Metadata) -> tuple[str, bool, str, tuple[str, ...], tuple[str, ...]]:
    return found.name, found.installable, found.source, found.extras, found.groups


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            {"pyproject.toml": PROJECT, "setup.py": "setup(name='other')"},
            ("thing", True, "pyproject.toml", ("docs", "testing", "dev"), ("test", "lint")),
        ),
        ({"setup.cfg": SETUP_CFG}, ("thing", True, "setup.cfg", ("tests", "docs"), ())),
        ({"setup.py": SETUP_PY}, ("thing", True, "setup.py", ("test", "gpu"), ())),
        (
            {"setup.cfg": SETUP_CFG, "setup.py": "setup(extras_require={'dev': []})"},
            ("thing", True, "setup.py", ("tests", "docs", "dev"), ()),
        ),
        ({"setup.cfg": "[flake8]\nx = 1", "setup.py": "setup(name='thing')"},
         ("thing", True, "setup.py", (), ())),
        ({}, ("", False, "", (), ())),
        ({"setup.py": "setup(**config())"}, ("", True, "setup.py", (), ())),
    ],
)  # fmt: skip
def test_the_first_file_that_says_it_counts(
    files: dict[str, str], found: tuple[str, bool, str, tuple[str, ...], tuple[str, ...]]
) -> None:
    assert brief(read_metadata(files)) == found


def test_a_project_table_is_read() -> None:
    found = read_metadata({"pyproject.toml": PROJECT})
    assert found.requires_python == ("pyproject.toml requires-python", ">=3.8")
    assert found.classifiers[1] == ("Programming Language :: Python :: 3.9",)
    assert found.dependencies == ("six",)
    assert found.lines["pyproject.toml [testing]"] == ("pytest",)
    assert found.lines["pyproject.toml group test"] == ("pytest-cov",)


def test_a_setup_cfg_is_read() -> None:
    found = read_metadata({"setup.cfg": SETUP_CFG})
    assert found.requires_python == ("setup.cfg python_requires", ">=3.6")
    assert found.classifiers == (
        "setup.cfg classifiers",
        ("Programming Language :: Python :: 3.7",),
    )
    assert (found.dependencies, found.tests_require) == (("six",), ("nose",))
    assert found.lines["setup.cfg [tests]"] == ("pytest", 'old;python_version<"3.8"')


def test_an_older_flit_table_is_read() -> None:
    found = read_metadata(
        {
            "pyproject.toml": "[build-system]\nrequires = ['flit_core']\n[tool.flit.metadata]\n"
            "module = 'thing'\nrequires-python = '>=3.7'\nrequires = ['six']\n"
            "[tool.flit.metadata.requires-extra]\ntest = ['mock']\n"
        }
    )
    assert brief(found) == ("thing", True, "pyproject.toml", ("test",), ())
    assert found.requires_python == ("pyproject.toml flit requires-python", ">=3.7")
    assert found.dependencies == ("six",)


def test_a_pyproject_of_tools_alone_leaves_it_to_the_older_files() -> None:
    tools = "[tool.black]\nline-length = 88\n[dependency-groups]\ndev = ['ruff']\n"
    found = read_metadata({"pyproject.toml": tools, "setup.cfg": SETUP_CFG})
    assert brief(found) == ("thing", True, "setup.cfg", ("tests", "docs"), ("dev",))
    assert brief(read_metadata({"pyproject.toml": tools})) == ("", False, "", (), ("dev",))


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": "[project\n", "setup.py": "setup(name='thing')"},
        {"setup.cfg": "no section", "setup.py": "setup(name='thing')"},
        {"pyproject.toml": "[project]\n[tool]\npoetry = 3", "setup.py": "x"},
    ],
)
def test_a_broken_file_does_not_hide_the_next(files: dict[str, str]) -> None:
    assert read_metadata(files).installable


def test_no_code_of_the_project_is_run() -> None:
    text = "raise SystemExit(1)\nfrom setuptools import setup\nsetup(name='thing')"
    assert read_metadata({"setup.py": text}).name == "thing"


def test_a_poetry_project_is_installable_and_named() -> None:
    text = (
        '[tool.poetry]\nname = "Old-Thing"\n[tool.poetry.dependencies]\npython = "^3.7"\n'
        '[build-system]\nrequires = ["poetry-core>=1.0"]\n'
    )
    found = read_metadata({"pyproject.toml": text})
    assert (found.name, found.installable, found.source) == ("Old-Thing", True, "pyproject.toml")
    assert found.build_requires == ("poetry-core",)
    assert found.requires_python == ("pyproject.toml poetry python", ">=3.7,<4")


def test_names_for_tests_and_for_developers_are_told_apart() -> None:
    there = ("docs", "dev", "testing", "tests", "latest")
    assert for_tests(there) == ("tests", "testing")
    assert for_developers(there) == ("dev",)
