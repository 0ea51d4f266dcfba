"""Every offline seed: the reference patch resolves it, and nothing does not."""

import json

import pytest

from tests.e2e.conftest import ROOT, Cli

pytestmark = pytest.mark.e2e

ROWS = [
    json.loads(line)
    for line in (ROOT / "seeds" / "seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
]
OFFLINE = [row for row in ROWS if not row["repo"].startswith("https://")]
NAMES = [row["task_id"] for row in OFFLINE]


@pytest.mark.parametrize("row", OFFLINE, ids=NAMES)
def test_gold_resolves(cli: Cli, row: dict[str, str]) -> None:
    ran = cli("--task-id", row["task_id"], "--solver", "gold")
    result = ran.result
    assert (ran.exit_code, result["status"]) == (0, "resolved"), ran.stderr
    assert result["grade"]["controls"]["gold"] == "passed"
    assert result["grade"]["patch_applied"]
    assert not result["isolation"]["hidden_tests_present"]
    assert result["termination"] is None


@pytest.mark.parametrize("row", OFFLINE, ids=NAMES)
def test_nothing_resolves_nothing(cli: Cli, row: dict[str, list[str]]) -> None:
    """A control that does not hold is `invalid_task`: failed by name, and the rest passed."""
    ran = cli("--task-id", str(row["task_id"]), "--solver", "none")
    result = ran.result
    assert (ran.exit_code, result["status"]) == (1, "unresolved"), ran.stderr
    grade = result["grade"]
    assert sorted(grade["FAIL_TO_PASS"]["failure"]) == sorted(row["FAIL_TO_PASS"])
    assert sorted(grade["PASS_TO_PASS"]["success"]) == sorted(row["PASS_TO_PASS"])
    assert grade["controls"]["empty"] == "passed"
    log = (ran.out / "grading" / "test_output.txt").read_text(encoding="utf-8")
    for name in row["FAIL_TO_PASS"]:
        assert f"FAILED {name}" in log or f"ERROR {name}" in log
