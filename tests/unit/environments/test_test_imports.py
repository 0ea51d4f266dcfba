"""What tests import, and who names a distribution for it."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent_runner.environments.imports import (
    completing,
    conda_packages,
    imported,
    installed_by_ci,
    name_of,
    plugins,
)


def test_imports_are_told_by_what_lacks_without_them() -> None:
    text = (
        "import os, sys\nimport numpy as np\nfrom yaml import load\nfrom thing import x\n"
        "    import scipy\npytest.importorskip('dask')\nhas_x, y = _importorskip(\"cftime\")\n"
        "importlib.import_module('no')\nfrom . import own\nimport pytest\n"
    )
    found = imported(text, frozenset({"thing"}))
    assert found.needed == {"numpy", "yaml"}
    assert found.used == {"scipy", "dask", "cftime"}


def test_a_line_of_another_place_is_taken_for_an_import() -> None:
    named = {"setup.cfg [io]": ("netCDF4>=1.5", "zarr"), "setup.cfg [more]": ("netcdf4", "PyYAML")}
    found = completing({"netCDF4", "yaml", "unknown"}, named, {"numpy"})
    assert found == {
        "netCDF4>=1.5": "setup.cfg [io], imported by the tests",
        "PyYAML": "setup.cfg [more], imported by the tests",
    }


def test_what_is_chosen_already_is_not_named_again() -> None:
    assert completing({"numpy"}, {"x": ("numpy<1.17",)}, {"numpy"}) == {}


def test_only_packages_known_to_be_for_tests_need_nobody_to_name_them() -> None:
    assert set(completing({"mock", "torch"}, {}, set(), known=True)) == {"mock"}
    assert completing({"mock"}, {}, set()) == {}


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"setup.cfg": "[tool:pytest]\naddopts = --cov=x -n 4"}, ("pytest-cov", "pytest-xdist")),
        ({"tox.ini": "[testenv]\ncommands = pytest --cov"}, ()),
        ({"pytest.ini": "[pytest]\naddopts =\n    --timeout=3"}, ("pytest-timeout",)),
        ({"pyproject.toml": "[tool.pytest.ini_options]\nasyncio_mode='auto'"}, ("pytest-asyncio",)),
        ({"pyproject.toml": "[tool.pytest.ini_options]\naddopts = ['--mpl']"}, ("pytest-mpl",)),
        ({"pytest.ini": "broken", "pyproject.toml": "[broken"}, ()),
        ({"pytest.ini": "[pytest]\naddopts = --no-header -rA --numprocesses-x"}, ()),
    ],
)  # fmt: skip
def test_options_of_pytest_bring_their_plugins(
    files: dict[str, str], found: tuple[str, ...]
) -> None:
    assert plugins(files) == found


def test_install_lines_of_ci_are_read() -> None:
    text = (
        "- run: pip install numpy 'pytest>=6' -r x.txt ./wheel.whl && echo a-b\n"
        "  conda install scipy=1.5 --yes\n- pip install -e .[test]\n"
    )
    assert installed_by_ci(text) == ("numpy", "pytest>=6", "scipy==1.5")


def test_a_conda_environment_is_read() -> None:
    text = (
        "channels: [x]\ndependencies:\n- python=3.8\n- numpy=1.17\n- dask>=2\n- bottleneck\n"
        "- h5py=2.9=abc_0\n- pip:\n  - pydap\n  - git+https://x/y\n"
    )
    assert conda_packages(text) == (
        "numpy==1.17.*",
        "dask>=2",
        "bottleneck",
        "h5py==2.9.*",
        "pydap",
    )


@pytest.mark.parametrize("text", ["", "- a\n- b", "a: [", "dependencies: 3", "jobs: {}"])
def test_what_is_no_conda_environment_names_nothing(text: str) -> None:
    assert conda_packages(text) == ()


@settings(deadline=None)
@example("0_")
@given(st.text(max_size=80))
def test_no_line_breaks_the_readers(line: str) -> None:
    assert name_of(line) == name_of(name_of(line)) or not name_of(line)
    installed_by_ci("pip install " + line)
    conda_packages("dependencies:\n- " + line)
