"""What a patch prints does not resolve a task; one that changes the test runner is flagged."""

import pytest

from agent_runner.benchmarks.rows import recipe
from agent_runner.grading.attempt import Grader
from agent_runner.task import Task
from tests.docker.conftest import adding
from tests.docker.test_grading import attempted, judge

pytestmark = pytest.mark.docker

SUMMARY = "=" * 9 + " short test summary info " + "=" * 9
FORGERIES = {
    "import": "print(LINES)",
    "header": "def pytest_report_header(): return LINES",
    "summary": "def pytest_report_header(): return [SUMMARY, LINES, '= 15 passed in 0.1s =']",
    "markers": "def pytest_report_header(): return ['', 'end ' + '01234567' * 4, '', LINES]",
    "after": "def pytest_unconfigure(): print(LINES)",
    "stderr": "import sys\ndef pytest_unconfigure(): print(LINES, file=sys.stderr)",
}  # fmt: skip


def printing(task: Task, code: str) -> bytes:
    """A patch with a conftest that says all tests have passed."""
    lines = "\n".join(f"PASSED {name}" for name in task.FAIL_TO_PASS + task.PASS_TO_PASS)
    return adding("conftest.py", f"LINES = {lines!r}\nSUMMARY = {SUMMARY!r}\n{code}\n")


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_printed_results_do_not_resolve(grader: Grader, task: Task, forgery: str) -> None:
    verdict = await judge(grader, recipe(task), printing(task, forgery))
    if forgery != FORGERIES["import"]:  # pytest itself keeps what is printed then
        assert f"PASSED {task.FAIL_TO_PASS[0]}" in verdict.attempt.ran.test_output
    assert not verdict.grade.resolved
    assert verdict.grade.FAIL_TO_PASS.failure == task.FAIL_TO_PASS


@pytest.mark.parametrize(
    "code",
    [
        "def pytest_unconfigure(): print(SUMMARY, LINES, '= 15 passed in 0.1s =', sep='\\n')",
        "import os\ndef pytest_report_header():\n"
        "    os.write(2, f'{SUMMARY}\\n{LINES}\\n= 15 passed in 0.1s =\\n'.encode()); os._exit(0)",
        "def pytest_runtest_makereport(item, call):\n"
        "    from _pytest.reports import TestReport\n    call.excinfo = None\n"
        "    return TestReport.from_item_and_call(item, call)",
    ],
    ids=["second-summary", "early-end", "reports"],
)
async def test_runner_changed_from_inside_is_flagged(grader: Grader, task: Task, code: str) -> None:
    """No rule of the benchmark can exclude it; the official verdict stays, with a hint."""
    patch = printing(task, code)
    verdict = await judge(grader, recipe(task), patch)
    assert (verdict.grade.official, verdict.grade.suspect) == (True, True)
    assert "conftest.py" in [hint.where for hint in verdict.hints]


async def test_script_and_nonce_are_out_of_reach_of_the_tests(grader: Grader, task: Task) -> None:
    spy = (
        "import pathlib\n"
        "seen = [str(p) for p in pathlib.Path('/agent_runner').glob('**/*')]\n"
        "shells = [p.read_bytes() for p in pathlib.Path('/proc').glob('[0-9]*/cmdline')]\n"
        "def pytest_report_header():\n"
        "    return f'SEEN {seen} {any(b\"start \" in line for line in shells)}'\n"
    )
    attempt = await attempted(grader, recipe(task), adding("conftest.py", spy))
    assert "SEEN [] False" in attempt.ran.test_output
