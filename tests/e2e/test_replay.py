"""What a run recorded is played again, without an endpoint and without a key."""

import pytest

from tests.e2e.conftest import DEMO, Cli, without_times

pytestmark = pytest.mark.e2e
TASK = "tidyframe__dedupe-keeps-last"
# What is tested here is no time limit, and the machine may be busy.
PATIENT = ("--set", "limits.install_s=200", "--set", "limits.tests_s=100")


def test_a_recorded_run_is_replayed_to_the_same_trajectory_and_result(cli: Cli) -> None:
    recorded = cli("--config", str(DEMO), *PATIENT)
    assert recorded.exit_code == 0, recorded.stderr
    played = cli("--task-id", TASK, "--recording", str(recorded.out), *PATIENT)
    assert played.exit_code == 0, played.stderr
    assert without_times(played.turns) == without_times(recorded.turns)
    assert without_times(played.result) == without_times(recorded.result)


def test_a_run_with_another_prompt_ends_at_its_first_difference(cli: Cli) -> None:
    recorded = cli("--config", str(DEMO), "--max-turns", "2", *PATIENT)
    prompt = recorded.out / "prompt.md"
    shipped = DEMO.parent / "prompts" / "agent.md"
    prompt.write_text(shipped.read_text().replace("You repair one bug", "You mend one bug"))
    played = cli("--task-id", TASK, "--recording", str(recorded.out), "--prompt", str(prompt))
    assert played.exit_code == 3
    error = played.result["error"]
    assert error["kind"] == "provider_reply"
    assert "at call 1, messages[0] (system).content: recorded" in error["message"]
    assert "You repair one bug" in error["message"]
    assert "You mend one bug" in error["message"]
    assert played.result["usage"]["calls"] == 1
