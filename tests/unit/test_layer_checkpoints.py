"""Where histories are cut: calendar dates, so that neighbours share."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.workspace.repository.checkpoints import ROOT_YEARS, boundaries, half_year

MOMENTS = st.integers(0, 4_000_000_000)


def cut(year: int, month: int, day: int) -> tuple[str, ...]:
    found = boundaries(int(datetime(year, month, day, tzinfo=UTC).timestamp()))
    return tuple(datetime.fromtimestamp(each, UTC).strftime("%Y-%m-%d") for each in found)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ((2021, 7, 20), ("2020-01-01", "2021-01-01")),
        ((2021, 1, 1), ("2020-01-01", "2021-01-01")),
        ((2019, 12, 31), ("2016-01-01", "2019-01-01")),
        ((2020, 2, 29), ("2020-01-01", "2020-01-01")),
    ],
)
def test_a_date_is_cut_at_its_era_and_its_year(
    date: tuple[int, int, int], expected: tuple[str, ...]
) -> None:
    assert cut(*date) == expected


@given(MOMENTS)
def test_nothing_shared_is_later_than_the_commit(commit_s: int) -> None:
    root_s, year_s = boundaries(commit_s)
    assert root_s <= year_s <= commit_s
    assert commit_s - year_s < 366 * 86_400
    assert commit_s - root_s < ROOT_YEARS * 366 * 86_400


@given(MOMENTS)
def test_a_half_year_begins_within_its_year(commit_s: int) -> None:
    begun_s = half_year(commit_s)
    assert boundaries(commit_s)[1] <= begun_s <= commit_s
    assert commit_s - begun_s < 185 * 86_400
    assert half_year(begun_s) == begun_s
    assert datetime.fromtimestamp(begun_s, UTC).strftime("%m-%d") in {"01-01", "07-01"}
