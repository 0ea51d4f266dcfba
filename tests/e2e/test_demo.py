"""The demo: a real agent, a real container; only the model's answers are canned."""

from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import DEMO, ROOT, Cli, Ran, ours, without_times

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def seen() -> list[Ran]:
    """The demo's runs so far: the slow part is shared."""
    return []


def demo(cli: Cli, seen: list[Ran]) -> Ran:
    """The demo, run once for this module."""
    if not seen:
        seen.append(cli("--config", str(DEMO)))
    return seen[0]


def test_the_agent_resolves_the_task_and_the_policy_stops_it(cli: Cli, seen: list[Ran]) -> None:
    ran = demo(cli, seen)
    assert ran.exit_code == 0, ran.stderr
    result = ran.result
    assert result["status"] == "resolved"
    assert result["termination"] == "tests_passed"
    assert result["turns"] == 7
    assert result["grade"]["FAIL_TO_PASS"]["failure"] == []
    assert result["usage"]["calls"] == 7
    assert result["patch_sha256"]


def test_one_patch_is_refused_and_the_next_applied(cli: Cli, seen: list[Ran]) -> None:
    calls = [call for turn in demo(cli, seen).turns for call in turn["calls"]]
    patches = [call for call in calls if call["tool"] == "swe_apply_patch"]
    assert [call["is_error"] for call in patches] == [True, False]
    assert [call["tool"] for call in calls[:4]] == [
        "swe_clone", "swe_install", "swe_pytest", "docker_sh",
    ]  # fmt: skip


def test_a_person_sees_one_line_a_turn_and_the_last_line_is_the_result(
    cli: Cli, seen: list[Ran]
) -> None:
    ran = demo(cli, seen)
    assert sum(line.startswith("turn ") for line in ran.stderr.splitlines()) == 7
    assert len(ran.stdout.splitlines()) == 1


def test_the_isolation_was_measured(cli: Cli, seen: list[Ran]) -> None:
    isolation = demo(cli, seen).result["isolation"]
    assert isolation["commits_after_base"] == 0
    assert isolation["unreachable_objects"] == 0
    assert isolation["foreign_git_stores"] == []
    assert isolation["network"] == {"dns": "closed", "tcp": "closed", "udp": "closed"}
    assert isolation["fresh_grader"] is True


def test_no_container_is_left(cli: Cli, seen: list[Ran]) -> None:
    assert ours(demo(cli, seen).out) == []


def test_two_scripted_runs_are_equal_but_for_times(cli: Cli, seen: list[Ran]) -> None:
    first, second = demo(cli, seen), cli("--config", str(DEMO))
    assert without_times(first.turns) == without_times(second.turns)
    assert without_times(first.result) == without_times(second.result)


def test_a_tool_that_says_something_else_breaks_the_demo(cli: Cli, tmp_path: Path) -> None:
    script = yaml.safe_load(
        (ROOT / "seeds" / "scripts" / "tidyframe__dedupe-keeps-last.yaml").read_text()
    )
    script["turns"][3]["expect"] = ["4 failed"]
    recording = tmp_path / "script.yaml"
    recording.write_text(yaml.safe_dump(script), encoding="utf-8")
    ran = cli("--config", str(DEMO), "--recording", str(recording))
    assert ran.exit_code == 3
    assert ran.result["status"] == "provider_error"
    assert ran.result["error"]["kind"] == "provider_reply"
    assert "4 failed" in ran.result["error"]["message"]
    assert ran.result["turns"] == 3
    assert ran.result["grade"] is None


def test_max_turns_ends_it_and_the_patch_so_far_is_graded(cli: Cli) -> None:
    ran = cli("--config", str(DEMO), "--max-turns", "6")
    assert ran.result["termination"] == "max_turns"
    assert ran.result["status"] == "resolved", "the good patch was in by turn 6"
    assert ran.exit_code == 0
