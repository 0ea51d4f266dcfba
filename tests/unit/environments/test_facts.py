"""`configs/environments.yaml`: short, keyed by repository and range, and no name of one in code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_runner.environments import facts as subject
from agent_runner.environments.facts import ANY, FILE, Facts, find_facts, repository_name
from agent_runner.errors import UsageError
from tests.unit.sources import ROOT, files, text_of

# Those of SWE-bench; some are common words, so they are looked for as an address has them.
REPOSITORIES = (
    "astropy/astropy", "django/django", "marshmallow-code/marshmallow", "matplotlib/matplotlib",
    "mwaskom/seaborn", "pallets/flask", "psf/requests", "pvlib/pvlib-python", "pydata/xarray",
    "pydicom/pydicom", "pylint-dev/astroid", "pylint-dev/pylint", "pytest-dev/pytest",
    "pyvista/pyvista", "scikit-learn/scikit-learn", "sqlfluff/sqlfluff", "sphinx-doc/sphinx",
    "sympy/sympy",
)  # fmt: skip


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of facts of the test's own."""
    monkeypatch.setenv("AGENT_RUNNER_ROOT", str(tmp_path))
    path = tmp_path / FILE
    path.parent.mkdir()
    subject._read.cache_clear()
    yield path
    subject._read.cache_clear()


def test_lists_add_up_and_the_last_python_counts(written: Path) -> None:
    written.write_text(
        """
"*": [{test_cmd: pytest -rA, reason: usual}]
a/b:
- {python: "3.8", requirements: [x], constraints: [y<2], reason: first}
- {versions: ">=2,<3", python: "3.9", requirements: [z], build_requires: [c], debian: [g++],
   reason: second}
- {versions: "<2", test_cmd: run, reason: third}
""",
        encoding="utf-8",
    )
    found = find_facts("https://host/a/b.git", "2.4")
    assert (found.python, found.requirements, found.constraints) == ("3.9", ("x", "z"), ("y<2",))
    assert (found.debian, found.test_cmd) == (("g++",), "pytest -rA")
    assert found.build_requires == ("c",)
    assert found.reasons == (
        f"python 3.8; constraints y<2; requirements x: {FILE} a/b (first)",
        f"python 3.9; requirements z; to build c; debian g++: {FILE} a/b >=2,<3 (second)",
    )
    assert find_facts("a/b", "1.9").test_cmd == "run"


@pytest.mark.parametrize("version", ["", "main", "v-odd"])
def test_an_unknown_version_is_in_no_range(written: Path, version: str) -> None:
    written.write_text('a/b: [{versions: ">0", python: "3.8", reason: x}]', encoding="utf-8")
    assert find_facts("a/b", version) == Facts()


def test_a_development_version_is_in_its_range(written: Path) -> None:
    written.write_text('a/b: [{versions: ">=2", python: "3.8", reason: x}]', encoding="utf-8")
    assert find_facts("a/b", "2.1.dev3").python == "3.8"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a/b: [{pyton: '3.8', reason: x}]", "pyton"),
        ("a/b: [{python: '3.8'}]", "reason"),
        ("a/b: [{versions: about 2, reason: x}]", "no range of versions"),
        ("a/b: [{python: 3, reason: x}]", "python"),
        ("a/b: {reason: x}", "a/b"),
        ("a: [", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named(written: Path, text: str, says: str) -> None:
    written.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=says):
        find_facts("a/b", "1")


def test_every_repository_has_a_test_command() -> None:
    assert find_facts("nobody/knows", "").test_cmd == "pytest -rA"
    for name in REPOSITORIES:
        assert find_facts(name, "3.0").test_cmd


@settings(deadline=None)
@given(st.sampled_from(["https://x.y/", "git@x.y:", "/srv/", ""]), st.booleans())
def test_a_repository_is_the_end_of_its_address(before: str, suffix: bool) -> None:
    assert repository_name(f"{before}own-er/na.me{'.git' if suffix else ''}") == "own-er/na.me"


def test_the_file_is_short_and_each_entry_is_about_a_range_with_a_reason() -> None:
    text = (ROOT / FILE).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80
    table = yaml.safe_load(text)
    assert set(table) <= {ANY, *REPOSITORIES}
    # An instance's id, or a commit.
    assert re.search(r"\w+__\w+|[0-9a-f]{12,}", text) is None


def test_no_code_names_one_of_the_repositories() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files()
        for text in [text_of(file).casefold()]
        for name in REPOSITORIES
        if name.casefold() in text
    ]
    assert found == []
