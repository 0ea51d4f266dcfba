"""What uv is given for a plan."""

from dataclasses import replace
from itertools import pairwise

import pytest

from tools.workspace.packages.environment import EnvironmentPlan, build_tools
from tools.workspace.packages.requirement_lists import Wanted
from tools.workspace.packages.uv_inputs import (
    attempts,
    build_bounds,
    compile_argv,
    dates,
    files_for,
    metadata_argv,
)

PLAN = EnvironmentPlan(
    python="3.9", as_of="2021-03-04T00:00:00Z", project="own", metadata_file="setup.py",
    requirements=("pytest", "Own[test]", "six"), extras=("test",),
)  # fmt: skip


def exempt(plan: EnvironmentPlan) -> dict[str, str]:
    given = dates(plan)
    return dict(
        value.split("=", 1)
        for option, value in pairwise(given)
        if option == "--exclude-newer-package"
    )


def test_build_tools_are_held_to_a_date_of_their_own() -> None:
    assert dates(PLAN)[:2] == ("--exclude-newer", PLAN.as_of)
    assert exempt(PLAN)["setuptools"] == "2024-03-01T00:00:00Z"
    assert "numpy" not in exempt(PLAN)
    later = replace(PLAN, as_of="2025-01-01T00:00:00Z")
    assert set(exempt(later).values()) == {"2025-01-01T00:00:00Z"}


def test_a_project_that_is_a_build_tool_is_no_exception_for_itself() -> None:
    assert "flit-core" not in exempt(replace(PLAN, project="flit_core"))


def test_a_runner_in_place_of_an_older_one_may_have_what_it_needs() -> None:
    old = replace(PLAN, as_of="2018-01-01T00:00:00Z", overrides=("pytest>=4.6",))
    assert exempt(old)["pluggy"] == exempt(old)["pytest"] == "2019-07-01"
    assert "pluggy" not in exempt(replace(old, overrides=()))
    assert "pytest>=4.6" in files_for(old, Wanted(), ())["instead.txt"].split()


def test_what_older_releases_break_is_bounded_and_may_be_that_new() -> None:
    assert "iniconfig>=1.0.1" in files_for(PLAN, Wanted(), ())["bounds.txt"].split()
    early = replace(PLAN, as_of="2020-01-01T00:00:00Z")
    assert exempt(early)["iniconfig"] == "2020-08-01"
    assert exempt(PLAN)["iniconfig"] == PLAN.as_of


def test_nothing_brings_in_the_project_or_what_is_left_out() -> None:
    files = files_for(PLAN, Wanted(lines=["a", "b>1"]), ("B",))
    assert files["wanted.in"].split() == ["pytest", "six", "a", "pip", "setuptools", "wheel"]
    assert files["never.txt"].split() == ["own", "B"]


@pytest.mark.parametrize("chosen", [{"requirements": ("setuptools<60",)},
                                    {"constraints": ("Setuptools<60",)}])  # fmt: skip
def test_a_plan_may_choose_a_build_tool_itself(chosen: dict[str, tuple[str, ...]]) -> None:
    instead = files_for(replace(PLAN, **chosen), Wanted(), ())["instead.txt"]  # type: ignore[arg-type]
    assert instead.split() == ["pip==24.0", "wheel==0.42.0"]


def test_less_is_asked_for_from_attempt_to_attempt() -> None:
    plan = replace(PLAN, build_requires=("setuptools_scm<8",), optional=("numpy",))
    tried = attempts(plan, Wanted(extras=["dev"]))
    assert len(tried) == len(set(tried)) == 6
    assert tried[0].given_up == ""
    assert tried[-1].given_up
    first, last = (
        compile_argv(plan, Wanted(extras=["dev"]), each) for each in (tried[0], tried[-1])
    )
    assert {"/build/resolve/backend.in", "/build/resolve/optional.in", "dev"} <= set(first)
    assert {"/build/resolve/backend.in", "/build/resolve/optional.in", "dev"} & set(last) == set()
    assert {"setup.py", "test"} <= set(last)
    assert len(attempts(PLAN, Wanted())) == 2


def test_the_metadata_alone_are_asked_without_extras() -> None:
    argv = metadata_argv(PLAN)
    assert argv[-1] == "setup.py"
    assert "--extra" not in argv
    assert not any(part.endswith("wanted.in") for part in argv)


@pytest.mark.parametrize(
    ("python", "setuptools"),
    [("3.6", "setuptools==59.6.0"), ("3.7", "setuptools==68.0.0"), ("3.8", "setuptools==68.2.2"),
     ("3.13", "setuptools==68.2.2")],
)  # fmt: skip
def test_each_python_has_build_tools_that_run_on_it(python: str, setuptools: str) -> None:
    assert setuptools in build_tools(python)


STATED = replace(
    PLAN, stated={"": ("mpmath", "own[more]"), "test": ("mock",), "dev-tools": ("tox",)}
)


def test_what_metadata_state_is_read_and_nothing_built() -> None:
    wanted = Wanted(extras=["Dev_Tools", "absent"])
    first, *_, last = (compile_argv(STATED, wanted, each) for each in attempts(STATED, wanted))
    inputs = [f"/build/resolve/{name}.in" for name in ("own", "extras", "optional-extras")]
    assert set(inputs) <= set(first)
    assert set(inputs[:2]) <= set(last)
    assert inputs[2] not in last
    assert not {"setup.py", "--extra"} & {*first, *last, *metadata_argv(STATED)}
    assert metadata_argv(STATED)[-1] == inputs[0]
    files = files_for(STATED, wanted, ())
    assert [files[f"{name}.in"] for name in ("own", "extras", "optional-extras")] == [
        "mpmath\n", "mock\n", "tox\n"
    ]  # fmt: skip


def test_the_dates_of_a_plan_end_with_its_own() -> None:
    plan = replace(PLAN, settled_as_of=("2021-01-01T00:00:00Z", "2021-07-01T00:00:00Z"))
    assert plan.dates == ("2021-01-01T00:00:00Z", PLAN.as_of), "nothing later than its own"
    assert plan.at(plan.dates[0]).key("x") == replace(PLAN, as_of="2021-01-01T00:00:00Z").key("x")


@pytest.mark.parametrize(
    ("as_of", "bound"),
    [("2018-06-12", "setuptools<46"), ("2020-03-08", "setuptools<58"), ("2021-09-04", "")],
)
def test_what_is_built_in_isolation_gets_the_setuptools_of_its_time(as_of: str, bound: str) -> None:
    bounds = build_bounds(replace(PLAN, as_of=f"{as_of}T00:00:00Z"))
    assert [line for line in bounds if line.startswith("setuptools<") and "=" not in line] == (
        [bound] if bound else []
    )
    assert "setuptools<=68.2.2" in bounds
