"""Logs read by SWE-bench's own parsers, in the process that is made for it; no container."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent_runner.benchmarks.swebench import official
from agent_runner.benchmarks.swebench.official import recipe, script_of
from agent_runner.grading.attempt import InvalidTask
from agent_runner.grading.canonical import compose_failure, compose_log
from agent_runner.grading.recipe import Log, Reading
from agent_runner.grading.script import INSTALLED
from agent_runner.task import Located, Official, Task

SCRIPT = """\
#!/bin/bash
set -uxo pipefail
source /opt/miniconda3/bin/activate
python -m pip install \\
  -e .
git apply -v - <<'EOF_114329324912'
+++ b/docs.txt
pip install nothing
EOF_114329324912
: '>>>>> Start Test Output'
pytest -rA t.py
: '>>>>> End Test Output'
git checkout 12ab t.py
"""
TASK = Task(
    task_id="o__r-1",
    repo="r",
    FAIL_TO_PASS=("t.py::f", "t.py::g"),
    PASS_TO_PASS=("t.py::p", "t.py::s"),
)
RULES = Official("o/r", "1", "", SCRIPT, "parse_log_pytest", "pass_and_fail")
LOCATED = Located(TASK, "r", RULES)
GOOD = "PASSED t.py::f\nPASSED t.py::g\nPASSED t.py::p\nSKIPPED t.py::s\n"


async def read(tmp_path: Path, log: Log, located: Located = LOCATED) -> Reading:
    async with recipe(located).reader() as reader:
        return await reader(log)


def logged(tmp_path: Path, section: str, code: int | None = 0, before: str = "") -> Log:
    raw, made = tmp_path / "raw", tmp_path / "test_output.txt"
    end = "\nend n\n" if code is not None else ""
    raw.write_text(f"{before}\nstart n 0\n{section}{end}", encoding="utf-8", newline="")
    compose_log(raw, made, "n", code, None if code is not None else 9.0)
    return Log(made, code, timed_out=code is None, patch_applied=True)


def test_a_script_is_cut_at_its_markers_and_nothing_else_changes() -> None:
    script = script_of(SCRIPT)
    lines = SCRIPT.strip().split("\n")
    assert script.before.split("\n") == [*lines[:5], INSTALLED, *lines[5:9]]
    assert script.tests == "pytest -rA t.py"
    assert script.after == "git checkout 12ab t.py"


@pytest.mark.parametrize("script", ["", "pytest", ": '>>>>> Start Test Output'\npytest\n"])
def test_a_script_without_markers_cannot_be_followed(script: str) -> None:
    with pytest.raises(InvalidTask, match="marker"):
        script_of(script)


CASES = {
    "good": (GOOD, 0, True, (2, 2)),
    "partial": (GOOD.replace("PASSED t.py::g", "FAILED t.py::g - x"), 1, False, (1, 2)),
    "broken": (GOOD.replace("PASSED t.py::p", "ERROR t.py::p"), 1, False, (2, 1)),
    "skipped": (GOOD.replace("PASSED t.py::f", "SKIPPED t.py::f"), 0, False, (1, 2)),
    "missing": ("PASSED t.py::f\nPASSED t.py::p\n", 0, False, (1, 1)),
    "nothing": ("no tests ran\n", 5, False, (0, 0)),
    "lying": (GOOD, 1, False, (0, 0)),
    "expected": (GOOD.replace("PASSED t.py::f", "XFAIL t.py::f"), 0, True, (2, 2)),
}  # fmt: skip


@pytest.mark.parametrize(("section", "code", "resolved", "passed"), CASES.values(), ids=CASES)
async def test_a_log_is_read_as_officially(
    tmp_path: Path, section: str, code: int, resolved: bool, passed: tuple[int, int]
) -> None:
    reading = await read(tmp_path, logged(tmp_path, section, code))
    assert reading.resolved is resolved
    assert (len(reading.fail_to_pass.success), len(reading.pass_to_pass.success)) == passed
    assert {*reading.report} >= {
        "patch_is_None", "patch_exists", "patch_successfully_applied", "resolved", "infra_failure"
    }  # fmt: skip
    assert reading.note == ""


async def test_no_end_is_no_pass(tmp_path: Path) -> None:
    reading = await read(tmp_path, logged(tmp_path, GOOD, None))
    assert not reading.resolved
    assert reading.fail_to_pass.failure == TASK.FAIL_TO_PASS
    assert reading.failure is not None
    assert (reading.failure.reason, reading.failure.tier) == ("tests_timed_out", "ambiguous")


async def test_a_patch_that_does_not_apply_has_a_report_of_its_own(tmp_path: Path) -> None:
    compose_failure(GOOD.encode(), tmp_path / "log")
    log = Log(tmp_path / "log", None, timed_out=False, patch_applied=False)
    reading = await read(tmp_path, log)
    assert reading.report == {
        "patch_is_None": False, "patch_exists": True, "patch_successfully_applied": False,
        "resolved": False, "infra_failure": False,
    }  # fmt: skip


async def test_passes_outside_the_markers_do_not_count(tmp_path: Path) -> None:
    reading = await read(tmp_path, logged(tmp_path, "", 0, before=GOOD))
    assert not reading.resolved
    assert reading.fail_to_pass.success == ()


async def test_failures_outside_the_markers_count_as_officially(tmp_path: Path) -> None:
    reading = await read(tmp_path, logged(tmp_path, "", 2, before="ERROR t.py::f\n"))
    assert "tests_status" in reading.report
    assert reading.fail_to_pass.failure == TASK.FAIL_TO_PASS


async def test_an_unknown_parser_is_the_tasks_fault(tmp_path: Path) -> None:
    located = replace(LOCATED, official=replace(RULES, log_parser="parse_log_none"))
    with pytest.raises(InvalidTask, match="parse_log_none"):
        await read(tmp_path, logged(tmp_path, GOOD), located)


async def test_a_log_that_breaks_its_parser_is_no_pass(tmp_path: Path) -> None:
    located = replace(LOCATED, official=replace(RULES, log_parser="parse_log_django"))
    reading = await read(tmp_path, logged(tmp_path, "FAIL:\n"), located)
    assert not reading.resolved
    assert "IndexError" in reading.note


async def test_a_log_that_holds_a_parser_up_is_no_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(official, "PARSE_LIMIT_S", 1.0)
    located = replace(LOCATED, official=replace(RULES, log_parser="parse_log_sympy"))
    reading = await read(tmp_path, logged(tmp_path, " " * 300 + ".py:" * 20_000 + "\n"), located)
    assert not reading.resolved
    assert reading.note == official.TOO_SLOW


async def test_a_log_that_lacks_a_part_is_not_read(tmp_path: Path) -> None:
    log = replace(logged(tmp_path, GOOD), is_whole=False)
    reading = await read(tmp_path, log)
    assert (reading.resolved, reading.note) == (False, official.TOO_LONG)


@pytest.mark.parametrize(("section", "code"), [case[:2] for case in CASES.values()], ids=CASES)
async def test_the_report_is_that_of_the_harness(tmp_path: Path, section: str, code: int) -> None:
    """Over the log the official script leaves: the same bytes, and the same report."""
    from swebench.harness.grading import get_eval_report  # type: ignore[import-untyped]
    from swebench.types import TestSpec  # type: ignore[import-untyped]

    log = logged(tmp_path, section, code, before="+ git status\n")
    theirs = (
        f"+ git status\n+ : '>>>>> Start Test Output'\n{section}+ SWEBENCH_TEST_EXIT_CODE={code}\n"
        f"+ : '>>>>> End Test Output'\n+ echo '>>>>> Test Exit Code: {code}'\n"
        f">>>>> Test Exit Code: {code}\n"
    )
    assert log.path.read_text(encoding="utf-8") == theirs
    spec = TestSpec(
        TASK.task_id, "", [], "o/r", "1", list(TASK.FAIL_TO_PASS), list(TASK.PASS_TO_PASS),
        "parse_log_pytest", "pass_and_fail",
    )  # fmt: skip
    prediction = {"instance_id": TASK.task_id, "model_name_or_path": "m", "model_patch": "x"}
    expected = get_eval_report(spec, prediction, str(log.path), True)[TASK.task_id]
    assert json.loads(json.dumps((await read(tmp_path, log)).report)) == expected
