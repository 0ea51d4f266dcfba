"""Which dates a resolution moves to, and that it ends."""

from hypothesis import given
from hypothesis import strategies as st

from tools.workspace.packages.as_of import MOST_NEWER, AsOf

YEAR, HALF, OWN = "2021-01-01", "2021-07-01", "2021-08-10"


def test_a_name_moves_date_by_date_and_no_further() -> None:
    dates = AsOf.of((YEAR, HALF, OWN))
    assert (dates.date, dates.newest, dates.last) == (YEAR, YEAR, OWN)
    assert dates.move(["a"])
    assert dates.newer == {"a": HALF}
    assert dates.move(["a", "b"])
    assert dates.newer == {"a": OWN, "b": HALF}
    assert (dates.date, dates.newest) == (YEAR, OWN)
    assert not dates.move(["a"])
    assert not dates.move([])


def test_all_move_where_many_have_to() -> None:
    dates = AsOf.of((YEAR, HALF, OWN))
    dates.move(["a"])
    dates.move(["a", *(f"n{number}" for number in range(MOST_NEWER - 1))])
    assert dates.date == YEAR
    assert dates.move(["z"])
    assert (dates.date, dates.newer, dates.newest) == (HALF, {"a": OWN}, OWN)
    assert dates.move(["z"])
    assert dates.newer == {"a": OWN, "z": OWN}


def test_pinned_names_move_together_and_are_never_too_many() -> None:
    pinned = frozenset(f"p{number}" for number in range(MOST_NEWER + 1))
    dates = AsOf.of((YEAR, OWN), pinned)
    assert dates.move(["a"])
    assert set(dates.newer) == {"a"}
    assert dates.move(["p0", "b"])
    assert set(dates.newer) == {"a", "b", *pinned}
    assert (dates.date, dates.newest) == (YEAR, OWN)
    assert not dates.move(["p1"])


def test_one_date_alone_is_kept() -> None:
    dates = AsOf.of((OWN,))
    assert not dates.move(["a", "b"])
    assert (dates.newest, dates.last, dates.newer) == (OWN, OWN, {})


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1), max_size=40))
def test_it_ends_and_is_never_later_than_the_last(asked: list[list[str]]) -> None:
    dates = AsOf.of((YEAR, HALF, OWN), frozenset("ab"))
    moves = sum(dates.move(names) for names in asked)
    assert moves <= 2 * 8
    assert YEAR <= dates.date <= dates.newest <= OWN
    assert len(set(dates.newer) - dates.pinned) <= MOST_NEWER
