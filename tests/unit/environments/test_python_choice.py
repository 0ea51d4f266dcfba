"""Which Python is chosen, and why."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_runner.environments.python import (
    LIFE,
    Named,
    choose_python,
    pythons_of_ci,
    pythons_of_classifiers,
    pythons_of_tox,
    settled,
)

NOTHING = ("", "")


def chosen(as_of: str, requires: str = "", *named: str) -> str:
    where = ("setup.cfg python_requires", requires) if requires else NOTHING
    places = [Named("setup.py classifiers", named)] if named else []
    return choose_python(as_of, where, places).python


@pytest.mark.parametrize(
    ("as_of", "requires", "named", "python"),
    [
        ("2023-03-04", ">=3.7", ("3.7", "3.8", "3.9", "3.10", "3.11"), "3.9"),
        ("2019-08-13", ">=3.5", ("3.6", "3.7"), "3.7"),
        ("2019-05-09", "", ("3.5", "3.6"), "3.6"),
        ("2023-02-24", ">=3.10", ("3.10", "3.11"), "3.10"),
        ("2024-05-01", ">=3.12", (), "3.12"),
        ("2022-01-01", "<3.9", (), "3.8"),
        ("2022-01-01", "<=3.8", (), "3.8"),
        ("2022-01-01", ">=3.6.2,!=3.9.*", (), "3.8"),
    ],
)
def test_the_supported_one_nearest_to_the_preferred_is_taken(
    as_of: str, requires: str, named: tuple[str, ...], python: str
) -> None:
    assert chosen(as_of, requires, *named) == python


def test_what_was_released_yesterday_is_not_taken() -> None:
    assert chosen("2020-10-06", "", "3.7", "3.8", "3.9") == "3.8"
    assert chosen("2021-02-01", "", "3.7", "3.8", "3.9") == "3.9"


def test_one_that_is_named_before_it_was_out_is_not_taken() -> None:
    assert chosen("2020-06-01", "", "3.8", "3.9") == "3.8"


def test_one_whose_life_is_over_gives_way_to_the_next() -> None:
    assert chosen("2025-12-01", ">=3.8") == "3.10"
    assert chosen("2025-12-01", "<3.9") == "3.8"


def test_a_project_that_names_none_gets_the_fallback_of_its_time() -> None:
    assert chosen("2024-01-01") == "3.10"
    assert chosen("2018-01-01") == "3.6"
    assert "no file" in choose_python("2024-01-01", NOTHING, []).reason


def test_the_reason_names_file_and_key() -> None:
    named = [
        Named("setup.py classifiers", ("3.8", "3.9")),
        Named("tox.ini envlist", ("3.9",)),
        Named("ci.yml", ("3.8",)),
    ]
    choice = choose_python("2022-01-01T00:00:00Z", ("setup.cfg python_requires", ">=3.8"), named)
    assert choice.reason == (
        "setup.cfg python_requires = >=3.8; setup.py classifiers; tox.ini envlist; "
        "of 3.8, 3.9 as of 2022-01-01"
    )
    # What only the range allows comes after what is named.
    assert choice.others == ("3.8", "3.10")


def test_what_cannot_be_read_forbids_nothing() -> None:
    assert chosen("2023-01-01", "three or more") == "3.9"


MINORS = st.lists(st.sampled_from([*LIFE, "3.5", "3.14"]), max_size=6, unique=True)


@settings(deadline=None)
@given(
    st.dates(date(2017, 1, 1), date(2026, 1, 1)), MINORS, st.sampled_from(["", ">=3.6", ">=3.8"])
)
def test_a_python_was_out_at_the_date_and_is_allowed(
    day: date, named: list[str], requires: str
) -> None:
    python = chosen(day.isoformat(), requires, *named)
    allowed = [one for one in LIFE if not requires or int(one[2:]) >= int(requires[4:])]
    assert python in allowed
    if any(LIFE[one][0] <= day for one in allowed):
        assert LIFE[python][0] <= day


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("envlist = py27,py36,py3.8,pypy3", ("3.6", "3.8")),
        ("envlist = docs,py{37,38,39}", ("3.7", "3.8", "3.9")),
        ("envlist =\n    py3{11,10,9}\n    py311-min", ("3.11", "3.10", "3.9")),
        ("envlist = py3,lint", ()),
    ],
)
def test_names_of_tox_environments_are_read(text: str, found: tuple[str, ...]) -> None:
    assert set(pythons_of_tox(text).versions) == set(found)


def test_classifiers_without_a_minor_version_say_nothing() -> None:
    lines = ["Programming Language :: Python :: 3", "Programming Language :: Python :: 3.7"]
    assert pythons_of_classifiers("x", lines).versions == ("3.7",)


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        (".github/workflows/ci.yml", 'python-version: [3.8, "3.10"]', ("3.8", "3.10")),
        (".travis.yml", "python:\n  - 3.6\n  - '3.7'\n", ("3.6", "3.7")),
        ("azure-pipelines.yml", "python.version: '3.9'", ("3.9",)),
        (".github/workflows/ci.yml", "# python 3.8\nuses: a/b@3.9\nnode: 3.10", ()),
        (".github/workflows/ci.yml", "python-version: 13.8.1", ()),
        ("docs/ci.yml", "python-version: 3.8", ()),
    ],
)
def test_files_of_ci_are_read(path: str, text: str, found: tuple[str, ...]) -> None:
    named = pythons_of_ci({path: text})
    assert tuple(version for one in named for version in one.versions) == found


@pytest.mark.parametrize(
    ("as_of", "python", "expected"),
    [
        ("2023-03-04T18:36:21Z", "3.9", ["2023-01-01"]),
        ("2021-07-20T10:47:34Z", "3.9", ["2021-01-01", "2021-07-01"]),
        ("2021-06-30T23:59:59-01:00", "3.9", ["2021-01-01", "2021-07-01"]),
        ("2022-10-30T00:00:00Z", "3.10", ["2022-01-01", "2022-07-01"]),
        # Hardly anything had wheels for the Python on the first day of the year, or at all.
        ("2020-12-31T05:21:06Z", "3.9", []),
        ("2019-12-01T00:00:00Z", "3.8", []),
        ("2022-07-02T00:00:00Z", "3.11", []),
        ("2018-12-01T00:00:00Z", "3.7", []),
        ("2017-03-01T00:00:00Z", "3.5", []),
    ],
)
def test_dates_that_tasks_share_are_not_before_their_python(
    as_of: str, python: str, expected: list[str]
) -> None:
    assert settled(as_of, python) == tuple(f"{day}T00:00:00Z" for day in expected)


@given(st.dates(date(2017, 1, 1), date(2030, 1, 1)), st.sampled_from(list(LIFE)))
def test_no_such_date_is_later_than_the_task(day: date, python: str) -> None:
    as_of = f"{day}T00:00:00Z"
    found = settled(as_of, python)
    assert list(found) == sorted(set(found))
    assert all(one <= as_of for one in found)
