"""Which of a project's places say what its tests need, and in which order they are asked."""

from collections.abc import Mapping

from agent_runner.environments.dependencies import Dependencies, dependencies_of
from agent_runner.environments.imports import imported
from agent_runner.environments.metadata import read_metadata
from agent_runner.environments.project import Project


def found(files: Mapping[str, str], imports: str = "", asked: tuple[str, ...] = ()) -> Dependencies:
    read = Project(
        paths=tuple(files), files=files, metadata=read_metadata(files),
        modules=imported(imports, frozenset({"thing"})), committed="", version="",
    )  # fmt: skip
    return dependencies_of(read, "3.9", asked)


SETUP = {"setup.py": "setup(name='thing', extras_require={'tests': ['mock'], 'dev': ['black']})"}
BARE = {"setup.py": "setup(name='thing')"}


def test_extras_for_tests_come_before_all_else() -> None:
    made = found(SETUP | {"requirements-test.txt": "x", "tox.ini": "[testenv]\ndeps = y"})
    assert (made.extras, made.lists, made.requirements) == (("tests",), (), {})


def test_groups_of_poetry_become_lines() -> None:
    text = (
        "[tool.poetry]\nname = 'thing'\n[tool.poetry.group.test.dependencies]\nmock = '^3.1'\n"
        "[tool.poetry.dev-dependencies]\nblack = '*'\n[build-system]\nrequires = ['poetry-core']\n"
    )
    assert found({"pyproject.toml": text}).requirements == {"mock>=3.1,<4": "poetry test"}


def test_a_list_for_tests_comes_next_and_then_developers() -> None:
    lists = {"requirements-test.txt": "x", "requirements-dev.txt": "y"}
    assert found(BARE | lists).lists == ("requirements-test.txt",)
    dev = {"setup.py": "setup(name='thing', extras_require={'dev': ['black']})"}
    assert found(dev | {"requirements-dev.txt": "y"}).extras == ("dev",)


def test_of_a_list_for_developers_each_line_may_be_left_out() -> None:
    files = {"requirements-dev.txt": "pytest<5 # a\n-r more.txt\n-e .\n", "more.txt": "mock\n"}
    made = found(BARE | files)
    where = "the list requirements-dev.txt"
    assert (made.lists, made.optional) == ((), {"pytest<5": where, "mock": where})


def test_a_general_list_that_names_pytest_is_for_tests() -> None:
    assert found(BARE | {"requirements.txt": "pytest\n-e .\n"}).lists == ("requirements.txt",)
    assert found(BARE | {"requirements.txt": "numpy\n"}).lists == ()


def test_lists_that_tox_names_are_as_good() -> None:
    files = {
        "tox.ini": "[testenv]\ndeps =\n    -r ci/all.txt\n    -r absent.txt",
        "ci/all.txt": "x",
    }
    assert found(BARE | files).lists == ("ci/all.txt",)
    dev = {"tox.ini": "[testenv]\ndeps = -r dev.txt", "dev.txt": "mock"}
    assert (found(BARE | dev).lists, list(found(BARE | dev).optional)) == ((), ["mock"])


def test_tox_and_tests_require_are_asked_last() -> None:
    files = {
        "setup.py": "setup(name='thing', tests_require=['nose'])",
        "tox.ini": "[testenv]\ndeps =\n    mock\n    py27: old",
    }
    assert found(files).requirements == {"mock": "tox.ini deps", "nose": "tests_require"}
    assert found(files | {"requirements-test.txt": "x"}).requirements == {}


def test_extras_that_tox_or_the_tasks_script_install_are_taken_too() -> None:
    tox = {"tox.ini": "[testenv]\nextras = dev"}
    assert found(SETUP | tox).extras == ("tests", "dev")
    assert found(SETUP, asked=("dev", "unknown")).extras == ("tests", "dev")


def test_what_tests_import_is_taken_from_where_it_is_named() -> None:
    files = {
        "setup.cfg": "[metadata]\nname=thing\n[options]\ninstall_requires = numpy>=1\n"
        "[options.extras_require]\ntests = mock\nio =\n    netCDF4>1\n    zarr\n",
        "ci/doc.yml": "dependencies: [dask=1.0, numpy=1.1]",
        "ci/py.yml": "dependencies: [dask=2.0]",
        ".github/workflows/ci.yml": "run: pip install scipy pandas",
        "docs/x.txt": "unread",
    }
    imports = "import numpy, mock\nimport scipy\n    import pandas\n    import netCDF4\n"
    made = found(files, imports + "importorskip('dask')\nimport unknown\n")
    assert made.extras == ("tests",)
    assert made.optional == {
        "netCDF4>1": "setup.cfg [io], imported by the tests",
        "dask": "ci/py.yml, imported by the tests",
        "scipy": ".github/workflows/ci.yml, imported by the tests",
    }


def test_without_packaging_the_general_list_counts_too() -> None:
    files = {"requirements.txt": "numpy", "requirements-test.txt": "x"}
    assert set(found(files).lists) == set(files)
    assert found(BARE | files).lists == ("requirements-test.txt",)


def test_every_choice_has_a_reason() -> None:
    made = found(SETUP | {"pytest.ini": "[pytest]\naddopts = --cov"}, "import nose\n")
    assert made.reasons() == (
        "extra tests",
        "nose, if it can be had: imported by the tests, named by no file",
        "pytest-cov, if it can be had: an option of pytest's configuration",
    )
