"""Poetry's words as everybody else's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from agent_runner.environments.poetry import read_poetry, specifier


@pytest.mark.parametrize(
    ("poetry", "pep440"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("~=1.2", "~=1.2"),
        ("*", ""),
        ("1.2.*", "==1.2.*"),
        ("1.2", "==1.2"),
        (">=3.6, <4.0", ">=3.6,<4.0"),
        (">=3.6 <4.0", ">=3.6,<4.0"),
        (">= 3.6", ">=3.6"),
        ("^2.7 || ^3.6", ">=3.6,<4"),
    ],
)
def test_versions_are_translated(poetry: str, pep440: str) -> None:
    assert specifier(poetry) == pep440


@settings(deadline=None)
@given(st.sampled_from("^~"), st.lists(st.integers(0, 30), min_size=1, max_size=3))
def test_a_translated_range_holds_its_own_lower_end(sign: str, numbers: list[int]) -> None:
    version = ".".join(map(str, numbers))
    assert SpecifierSet(specifier(sign + version)).contains(version)


def test_groups_old_and_new_and_what_comes_from_elsewhere() -> None:
    found = read_poetry(
        {
            "name": "thing",
            "dependencies": {"python": "^3.8", "six": "*"},
            "dev-dependencies": {"pytest": "^7.0", "local": {"path": "../x"}},
            "group": {
                "test": {"dependencies": {"tox": {"version": "^3", "extras": ["a"]}}},
                "empty": {"dependencies": {"git": {"git": "https://x/y"}}},
            },
            "extras": {"tests": ["six"]},
        }
    )
    assert (found.name, found.python, found.extras) == ("thing", ">=3.8,<4", ("tests",))
    assert found.dependencies == ("six",)
    assert found.groups == {"dev": ("pytest>=7.0,<8",), "test": ("tox[a]>=3,<4",)}


def test_markers_and_lists_of_alternatives() -> None:
    marked = {"version": "1.*", "markers": "python_version < '3.8'"}
    table = {"dev-dependencies": {"a": marked, "b": [{"version": "1"}, {"version": "2"}], "c": 3}}
    assert read_poetry(table).groups["dev"] == ("a==1.*; python_version < '3.8'", "b==2")


@pytest.mark.parametrize("table", [None, [], "x", {}, {"group": 3, "extras": [], "name": ""}])
def test_what_is_no_such_table_says_nothing(table: object) -> None:
    assert read_poetry(table).groups == {}
