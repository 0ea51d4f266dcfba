"""The report of a run beside the one the harness writes of the same instances."""

import json
from pathlib import Path

import pytest

from agent_runner.benchmarks.swebench.report import run_report
from agent_runner.grading.recipe import Failure, Report

IDS = ("r__a-1", "r__b-2", "r__c-3", "r__d-4", "r__e-5")
REPORTS: dict[str, Report] = {"r__a-1": {"resolved": True}, "r__b-2": {"resolved": False}}
LOGS = {"r__b-2": "bash: Cannot allocate memory\n", "r__c-3": "no tests ran in 0.1 s\n"}
FAILURES = {
    "r__a-1": Failure("no_tests_collected", "ambiguous"),
    "r__b-2": Failure("out_of_memory", "environment"),
    "r__c-3": Failure("no_tests_collected", "ambiguous"),
}


def test_it_is_that_of_the_harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """a is resolved, b is not, c has no report, d has no patch and e no prediction."""
    from swebench.harness.reporting import make_run_report  # type: ignore[import-untyped]

    monkeypatch.chdir(tmp_path)
    for name in IDS[:3]:
        logs = tmp_path / "logs" / "run_evaluation" / "run" / "m" / name
        logs.mkdir(parents=True)
        (logs / "test_output.txt").write_text(LOGS.get(name, ""))
        if name in REPORTS:
            (logs / "report.json").write_text(json.dumps({name: REPORTS[name]}))
    predictions = {
        name: {"instance_id": name, "model_name_or_path": "m", "model_patch": text}
        for name, text in zip(IDS, ("x", "x", "x", "", ""), strict=True)
        if name != IDS[4]
    }
    path = make_run_report(predictions, [{"instance_id": name} for name in IDS], "run")
    ours = run_report(
        REPORTS,
        dataset_ids=IDS,
        submitted_ids=list(predictions),
        empty_ids=[IDS[3]],
        error_ids=[IDS[2]],
        failures=FAILURES,
    )
    assert ours == json.loads((tmp_path / path).read_text())
