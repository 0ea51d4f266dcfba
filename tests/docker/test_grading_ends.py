"""Suites that never end, never ran, were killed or flood: none of them is a pass."""

from dataclasses import replace

import pytest

from agent_runner.benchmarks.swebench import official as official_rules
from agent_runner.grading import attempt as attempts
from tests.docker.official import (
    ALL,
    FAIL_TO_PASS,
    MARKED,
    RESULTS,
    TO_SHELL,
    OfficialTask,
    on_import,
)

pytestmark = pytest.mark.docker


async def test_tests_that_never_end_are_no_pass(official: OfficialTask) -> None:
    quick = OfficialTask(official.task, replace(official.grader, timeout_s=3))
    said = f"{TO_SHELL}\ntell('''{MARKED}''')\nimport time\nwhile True: time.sleep(1)"
    verdict, log = await quick.log(on_import(said))
    assert not verdict.grade.resolved
    assert verdict.grade.exit_code is None
    assert verdict.report_is_error
    assert log.endswith("Timeout error: 3 seconds exceeded.")
    assert verdict.attempt.reading.failure is not None
    assert verdict.attempt.reading.failure.reason == "tests_timed_out"


async def test_a_suite_that_never_ran_is_no_pass(official: OfficialTask, gold: bytes) -> None:
    verdict = await official.verdict(gold, command="true ||")
    assert verdict.grade.exit_code == 0
    assert not verdict.grade.resolved
    assert verdict.grade.FAIL_TO_PASS.failure == FAIL_TO_PASS


async def test_killing_the_shell_is_no_pass(official: OfficialTask, gold: bytes) -> None:
    deadly = on_import(f"{TO_SHELL}\ntell('''{MARKED}''')\nos.kill(shell(), 9)")
    verdict = await official.verdict(deadly)
    assert not verdict.grade.resolved
    assert verdict.grade.FAIL_TO_PASS.failure == FAIL_TO_PASS


async def test_a_flood_is_cut_and_no_pass(
    official: OfficialTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "LOG_LIMIT_BYTES", 1_000_000)
    flood = on_import(f"{TO_SHELL}\ntell('''{RESULTS}\\n''' + 'PASSED x\\n' * 2_000_000)")
    verdict, log = await official.log(flood)
    assert len(log) < 2_000_000
    assert not verdict.grade.resolved
    assert verdict.grade.note == official_rules.TOO_LONG
    assert [hint.kind for hint in verdict.hints if hint.kind == "log"] == ["log"]


async def test_a_parser_that_hangs_is_ended(
    official: OfficialTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(official_rules, "PARSE_LIMIT_S", 2.0)
    line = " " * 300 + ".py:" * 20_000 + "\n"
    patch = on_import(f"{TO_SHELL}\ntell({line!r})")
    verdict, log = await official.log(patch, parser="parse_log_sympy")
    assert line in log
    assert not verdict.grade.resolved
    assert verdict.grade.suspect
    assert verdict.grade.note == official_rules.TOO_SLOW


async def test_ids_are_those_of_the_task(official: OfficialTask, gold: bytes) -> None:
    report = (await official.verdict(gold)).report
    status = report[official.task.task_id]["tests_status"]
    assert isinstance(status, dict)
    assert status["FAIL_TO_PASS"] == {"success": list(FAIL_TO_PASS), "failure": []}
    assert {*status["FAIL_TO_PASS"]["success"], *status["PASS_TO_PASS"]["success"]} == set(ALL)
