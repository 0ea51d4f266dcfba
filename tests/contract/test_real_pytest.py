"""The command, run by the installed pytest in projects that make it hard to read."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.testruns.outcome import Counts, Outcome, TestRun
from tools.testruns.pytest_command import pytest_argv
from tools.testruns.selection import Selection
from tools.testruns.summarise import combine

TESTS = "def test_bad():\n    assert 0\n\ndef test_good():\n    print('said')\n"
ADDOPTS = (
    "-qq -x --lf --color=yes -rN --no-summary --junitxml=own.xml"
    " -o junit_family=xunit2 -o junit_logging=all -o junit_log_passing_tests=true"
)


@dataclass(frozen=True)
class Project:
    """A project of one test file, and the expression its tests are asked for with."""

    tests: str
    ini: str = ""
    k: str = ""


PROJECTS = {
    "stubborn": Project(TESTS, f"addopts = {ADDOPTS}"),
    "no_report": Project(TESTS, "addopts = -p no:junitxml -rN -qq --color=yes"),
    "no_terminal": Project(TESTS, "addopts = -p no:terminal"),
    "deselected": Project(TESTS, k="-x"),
    "missing_plugin": Project(TESTS, "addopts = --cov=here"),
    "leaves": Project(f"import os\n{TESTS}\ndef test_leaves():\n    os._exit(0)\n"),
}


@dataclass(frozen=True)
class Started:
    """A running pytest and where it writes."""

    process: subprocess.Popen[bytes]
    report: Path
    selection: Selection


def _start(directory: Path, project: Project) -> Started:
    tree = directory / "project"
    tree.mkdir(parents=True)
    (tree / "test_t.py").write_text(project.tests, encoding="utf-8")
    (tree / "pytest.ini").write_text(f"[pytest]\n{project.ini}\n", encoding="utf-8")
    report = directory / "report.xml"
    argv = pytest_argv((), project.k, str(report))
    # Outside options and the plugins of this suite would make it another run than the project's.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    process = subprocess.Popen(
        [sys.executable, *argv[1:]],
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return Started(process, report, Selection(k=project.k))


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Started]:
    directory = tmp_path_factory.mktemp("projects")
    return {name: _start(directory / name, project) for name, project in PROJECTS.items()}


@pytest.fixture(scope="module")
def logs(started: dict[str, Started]) -> dict[str, str]:
    return {name: run.process.communicate(timeout=30)[0].decode() for name, run in started.items()}


@pytest.fixture(scope="module")
def runs(started: dict[str, Started], logs: dict[str, str]) -> dict[str, TestRun]:
    found = {}
    for name, run in started.items():
        report = run.report.read_bytes() if run.report.exists() else None
        code = run.process.returncode
        found[name] = combine(report, logs[name], code, selection=run.selection)
    return found


def test_projects_own_options_do_not_hide_the_outcome(runs: dict[str, TestRun]) -> None:
    run = runs["stubborn"]
    assert run.outcomes == {"test_t.py::test_bad": Outcome.FAILED, "test_t.py::test_good": "passed"}
    assert (run.source, run.exit_code, run.disagreement) == ("report", 1, None)
    assert run.failed("test_t.py::test_bad")


def test_projects_own_options_do_not_change_what_is_printed(logs: dict[str, str]) -> None:
    assert "= 1 failed, 1 passed in " in logs["no_report"]
    assert "\x1b" not in logs["no_report"]


@pytest.mark.usefixtures("logs")
def test_report_does_not_hold_what_tests_print(started: dict[str, Started]) -> None:
    assert b"said" not in started["stubborn"].report.read_bytes()


@pytest.mark.usefixtures("logs")
def test_nothing_is_left_in_the_project(started: dict[str, Started]) -> None:
    tree = started["stubborn"].report.parent / "project"
    left = {path.name for path in tree.iterdir()} - {"__pycache__"}
    assert left == {"pytest.ini", "test_t.py"}


def test_log_stands_in_for_a_report_that_was_turned_off(runs: dict[str, TestRun]) -> None:
    run = runs["no_report"]
    assert (run.source, run.counts) == ("log", Counts(passed=1, failed=1))
    assert run.failed("test_t.py::test_bad")
    assert "no report" in (run.disagreement or "")


def test_report_stands_in_for_a_terminal_that_was_turned_off(runs: dict[str, TestRun]) -> None:
    assert (runs["no_terminal"].source, runs["no_terminal"].summary) == (
        "report",
        "1 failed, 1 passed",
    )


@pytest.mark.parametrize(
    ("name", "exit_code", "summary"),
    [
        ("deselected", 5, "no tests ran (exit code 5): the selection -k '-x' matched none of 2"),
        ("missing_plugin", 4, "pytest did not start its tests (exit code 4): unrecognized arg"),
        ("leaves", 0, "no test has an outcome (exit code 0): "),
    ],
)
def test_run_without_outcome_says_why(
    runs: dict[str, TestRun], name: str, exit_code: int, summary: str
) -> None:
    assert runs[name].exit_code == exit_code
    assert runs[name].summary.startswith(summary)


def test_success_without_a_report_is_not_believed(runs: dict[str, TestRun]) -> None:
    run = runs["leaves"]
    assert run.counts.total == 0
    assert run.disagreement == (
        "pytest wrote no report, so the counts are the log's; "
        "the exit code is 0 although no test ran"
    )
