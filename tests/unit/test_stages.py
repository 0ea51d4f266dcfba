"""The clock of a run."""

import time
from contextlib import suppress

import pytest

from agent_runner.stages import NAMES, WITHIN_AGENT, Stages


def test_time_inside_a_nested_stage_is_taken_from_the_outer() -> None:
    stages = Stages(time.monotonic())
    with stages.stage("agent"):
        time.sleep(0.02)
        with stages.stage("install"):
            time.sleep(0.03)
    assert stages.seconds["install"] >= 0.03
    assert stages.seconds["agent"] >= 0.02
    assert sum(stages.seconds.values()) <= time.monotonic() - stages.started_s


def test_a_stage_entered_twice_adds_up() -> None:
    stages = Stages(time.monotonic())
    for _ in range(2):
        with stages.stage("workspace"):
            time.sleep(0.01)
    assert stages.seconds["workspace"] >= 0.02


def test_seconds_have_three_decimals_and_the_order_of_the_contract() -> None:
    stages = Stages(time.monotonic())
    for name in ("tools", "grade", "agent", "image"):
        stages.add(name, 1.23456)
    assert list(stages.rounded().items()) == [
        ("image", 1.235),
        ("agent", 1.235),
        ("grade", 1.235),
        ("tools", 1.235),
    ]
    elapsed_s = stages.elapsed_s()
    assert elapsed_s == round(elapsed_s, 3)


def test_the_names_are_those_of_the_contract() -> None:
    assert " ".join(NAMES) == (
        "image mirror workspace clone install tests_before agent tests_after collect grade"
    )
    assert " ".join(WITHIN_AGENT) == "model_wait throttle_wait tools"


def leave_by_an_error(stages: Stages) -> None:
    with stages.stage("agent"):
        with stages.stage("clone"):
            pass
        assert stages.current == "agent"
        with stages.stage("install"):
            raise ValueError("broken")


def test_an_error_is_placed_in_the_innermost_stage_it_left() -> None:
    stages = Stages(time.monotonic())
    assert stages.current == "start"
    with pytest.raises(ValueError, match="broken"):
        leave_by_an_error(stages)
    assert stages.current == "install"
    assert set(stages.seconds) == {"agent", "clone", "install"}


def test_an_error_that_was_dealt_with_names_no_later_stage() -> None:
    stages = Stages(time.monotonic())
    with stages.stage("collect"), suppress(ValueError):
        leave_by_an_error(stages)
    assert stages.current == "collect"
    with suppress(KeyError), stages.stage("grade"):
        raise KeyError
    assert stages.current == "grade"
