"""Which offered tool a written name means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runner.provider.salvage.name import find_name

OFFERED = ("swe_clone", "swe_pytest", "step_1", "step", "functions_map", "aa")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("step_1", "step_1"),
        ("step_2", "step"),
        ("step_1_0", "step_1"),
        ("functions_map", "functions_map"),
        ("functions.functions_map:3", "functions_map"),
        ("functions/swe_clone", "swe_clone"),
        ("default_api:swe_clone", "swe_clone"),
        ("'functions.swe_clone:0'", "swe_clone"),
        ("swe_cloneswe_clone_0", "swe_clone"),
        ("swe_clone<|tool_call_argument_begin|>", "swe_clone"),
        ("aaa", None),
        ("aaaa", "aa"),
        ("os.swe_clone", None),
        ("swe", None),
        ("swe_clone swe_pytest", None),
        ("", None),
    ],
)
def test_a_name_means_one_tool_or_none(given: str, found: str | None) -> None:
    assert find_name(given, OFFERED) == found


@given(st.text())
def test_any_name_means_an_offered_tool_or_none(given: str) -> None:
    assert find_name(given, OFFERED) in {*OFFERED, None}
