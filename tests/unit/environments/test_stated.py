"""What packaging files state outright, and when only a build can tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runner.environments.stated import Stated, read_stated

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "thing"
dependencies = ["six>=1.0", "attrs; python_version < '3.8'"]
[project.optional-dependencies]
Dev_Tools = ["pytest # for tests", "  "]
"""
SETUP_CFG = """\
[metadata]
name = thing
[options]
setup_requires = setuptools_scm
install_requires =
    six >= 1.0
    # a comment
    attrs; python_version < "3.8"
[options.extras_require]
test = pytest; mock
"""
SETUP_PY = """\
import sys
from setuptools import setup
LEAST = "1.0"
REQUIRES = ["six>=%s" % LEAST] + ["attrs"]
extra_kwargs = {}
if sys.version_info > (3,):
    extra_kwargs["zip_safe"] = False
if __name__ == "__main__":
    setup(
        name="thing", install_requires=REQUIRES, setup_requires=["pytest-runner"],
        extras_require={"test": ["pytest"], ":python_version<'3'": ["futures"],
                        "test:os_name=='nt'": ["colorama"]},
        **extra_kwargs
    )
"""


def of(project: str = "thing", **files: str) -> Stated | None:
    names = {"pyproject": "pyproject.toml", "cfg": "setup.cfg", "py": "setup.py"}
    return read_stated({names[name]: text for name, text in files.items()}, project)


def test_a_pyproject_states_all_of_it() -> None:
    assert of(pyproject=PYPROJECT) == {
        "": ("six>=1.0", "attrs; python_version < '3.8'"),
        "dev-tools": ("pytest",),
    }


def test_a_setup_cfg_states_it_beside_a_setup_py_that_says_nothing() -> None:
    expected = {
        "": ("six >= 1.0", 'attrs; python_version < "3.8"'),
        "test": ("pytest", "mock"),
    }
    assert of(cfg=SETUP_CFG) == expected
    assert (
        of(cfg=SETUP_CFG, py="from setuptools import setup\nsetup(use_scm_version=True)")
        == expected
    )


def test_a_setup_py_states_what_is_literal_or_put_together_of_it() -> None:
    assert of(py=SETUP_PY) == {
        "": ("six>=1.0", "attrs", "futures; python_version<'3'"),
        "test": ("pytest", "colorama; os_name=='nt'"),
    }


def test_a_project_that_requires_nothing_says_so() -> None:
    assert of(py="import setuptools\nsetuptools.setup(name='thing')") == {"": ()}


def changed(old: str, new: str, text: str = SETUP_PY) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject": changed("name =", 'dynamic = ["dependencies"]\nname =', PYPROJECT)},
        {"pyproject": changed("name =", 'dynamic = ["optional-dependencies"]\nname =', PYPROJECT)},
        {"pyproject": changed("six>=1.0", "Thing[dev_tools]", PYPROJECT)},
        {"pyproject": changed("six>=1.0", "six @ https://host/six.zip", PYPROJECT)},
        {"pyproject": changed("six>=1.0", "six (any)", PYPROJECT)},
        {"pyproject": changed('["six>=1.0", ', '[1, ["six"], ', PYPROJECT)},
        {"pyproject": "[tool.poetry]\nname = 'thing'\n"},
        {"pyproject": "[build-system]\nbuild-backend = 'poetry.core.masonry.api'", "py": SETUP_PY},
        {"pyproject": "not = toml =", "py": SETUP_PY},
        {"cfg": changed("    six >= 1.0\n", "    file: list.txt\n", SETUP_CFG)},
        {"cfg": changed("setup_requires = setuptools_scm", "setup_requires = pbr", SETUP_CFG)},
        {"cfg": changed("name = thing", "name = thing\nrequires-dist = six", SETUP_CFG)},
        {"cfg": SETUP_CFG, "py": SETUP_PY},
        {"cfg": SETUP_CFG + "[options]\n"},
        {"py": changed("**extra_kwargs", "**read()")},
        {"py": changed('extra_kwargs["zip_safe"]', 'extra_kwargs["install_requires"]')},
        {"py": changed('extra_kwargs["zip_safe"] = False', "extra_kwargs.update(more)")},
        {"py": changed("extra_kwargs = {}", "extra_kwargs = read()")},
        {"py": changed("extra_kwargs = {}", "for extra_kwargs in (): pass")},
        {"py": changed('LEAST = "1.0"', "LEAST = read()")},
        {"py": changed("extra_kwargs = {}", "extra_kwargs = {}\nREQUIRES.append(1)")},
        {"py": changed("extra_kwargs = {}", "extra_kwargs = {}\nREQUIRES += ['b']")},
        {"py": changed("extra_kwargs = {}", "extra_kwargs = {}\nREQUIRES[0] = 'b'")},
        {"py": changed("extra_kwargs = {}", "extra_kwargs = {}\nif 1: REQUIRES = ['b']")},
        {"py": changed("install_requires=REQUIRES", "install_requires=read('list.txt')")},
        {"py": changed("install_requires=REQUIRES", "pbr=True")},
        {"py": changed("['pytest-runner']".replace("'", '"'), "['pbr>=2']")},
        {"py": changed('    setup(\n', '    setup()\n    setup(\n')},
        {"py": "print 'Python 2'"},
    ],
)  # fmt: skip
def test_what_is_computed_or_unclear_is_left_to_the_build(files: dict[str, str]) -> None:
    assert of(**files) is None


@given(st.text(), st.text(), st.text())
def test_no_text_makes_it_fail(pyproject: str, cfg: str, py: str) -> None:
    of(pyproject=pyproject, cfg=cfg, py=py)
    of(cfg=f"[options]\n{cfg}", py=f"from setuptools import setup\nsetup({py})")
