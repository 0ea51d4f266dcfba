"""Complete lists of versions: read, compared, and turned into one another."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.workspace.packages.pins import (
    Difference,
    difference,
    nearest,
    parse_pins,
    pinned_names,
    written,
)

NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=3)
VERSIONS = st.lists(st.sampled_from(string.digits), min_size=1, max_size=3).map(".".join)
PINS = st.dictionaries(NAMES, VERSIONS, max_size=8)


def apply(have: dict[str, str], change: Difference) -> dict[str, str]:
    """What uv does with it."""
    left = {name: version for name, version in have.items() if name not in change.remove}
    return left | parse_pins(" ".join(change.install))


@given(PINS, PINS)
def test_a_difference_turns_one_environment_into_the_other(
    have: dict[str, str], want: dict[str, str]
) -> None:
    change = difference(have, want)
    assert apply(have, change) == want
    assert change.size <= len(set(have) | set(want))


@given(PINS)
def test_an_environment_does_not_differ_from_itself(pins: dict[str, str]) -> None:
    assert difference(pins, dict(reversed(pins.items()))) == Difference((), ())


@given(PINS)
def test_what_is_written_reads_the_same(pins: dict[str, str]) -> None:
    assert parse_pins("\n".join(written(pins))) == pins
    assert parse_pins(" ".join(written(pins))) == pins
    assert list(written(pins)) == sorted(written(pins), key=lambda pin: pin.split("==")[0])


def test_names_are_compared_as_the_index_does() -> None:
    printed = (
        "Foo_Bar==1.0\n# a comment\n-e file:///x\nzope.interface==5.4.0 ; python_version>'3'\n"
    )
    assert parse_pins(printed) == {"foo-bar": "1.0", "zope-interface": "5.4.0"}


@pytest.mark.parametrize(
    ("candidates", "index"),
    [
        ([{}], 0),
        ([{}, {"a": "1", "b": "2"}], 1),
        ([{"a": "1", "b": "1"}, {"a": "1", "b": "2", "z": "1"}, {"a": "1", "b": "2"}], 2),
        # What has much more than is wanted is no better than nothing.
        ([{}, {"a": "1", "p": "1", "q": "1", "r": "1"}], 0),
        # The root comes first and wins where nothing is gained.
        ([{"a": "1"}, {"b": "2"}], 0),
    ],
)
def test_the_nearest_needs_the_fewest_changes(candidates: list[dict[str, str]], index: int) -> None:
    assert nearest(candidates, {"a": "1", "b": "2"}) == index


def test_what_gives_one_version_is_pinned() -> None:
    lines = (
        "A_b==1.0", "c[x]===2", "d==3.*", "e>=1", "f==1; python_version < '3'", "g>=1,==1.5",
        "-r other.txt", "",
    )  # fmt: skip
    assert pinned_names(lines) == {"a-b", "c", "g"}
