"""`grade` and `regrade` as a user types them, over one small repository."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import ROOT, environment, ours
from tests.e2e.small_set import (
    BIG_LINES,
    BINARY,
    ELSEWHERE,
    FIX,
    WRONG,
    SmallSet,
    added,
)

if TYPE_CHECKING:
    from tools.workspace.layers.base_image import Base

pytestmark = pytest.mark.e2e

NO_ENGINE = {"DOCKER_HOST": "tcp://127.0.0.1:9"}
CRLF = FIX.replace("\n", "\r\n")
PATCHES = {
    "tally-good": FIX,
    "tally-wrong": WRONG,
    "tally-elsewhere": ELSEWHERE,
    "tally-crlf": CRLF,
    "tally-binary": FIX + BINARY,
    "tally-big": FIX + added("big.txt", BIG_LINES),
    "tally-newline": "\n",
    "tally-not-text": "\udcff" + FIX,
    "tally-null": None,
    "tally-empty": "",
    "nowhere-1": FIX,
}
RESOLVED = {"tally-good", "tally-crlf", "tally-binary", "tally-big"}
NOT_APPLIED = {"tally-elsewhere", "tally-newline"}
EMPTY = {"tally-null", "tally-empty"}
ERRORS = NOT_APPLIED | {"tally-not-text"}
ROWS = (set(PATCHES) - {"nowhere-1"}) | {"tally-unasked"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallSet:
    made = SmallSet.make(tmp_path_factory.mktemp("small") / "set")
    made.write_rows("set.jsonl", [made.row(name) for name in sorted(ROWS)])
    made.write_predictions("preds.json", PATCHES)
    return made


def agent_runner(
    small: SmallSet, home: Path, *arguments: str, **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent_runner", *arguments],
        cwd=ROOT, env=environment(home, {**small.env, **env}), capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip


def arguments(
    small: SmallSet, out: Path, rows: str = "set.jsonl", preds: str = "preds.json"
) -> list[str]:
    source = preds if preds in {"gold", "empty"} else str(small.place / preds)
    dataset = str(small.place / rows)
    return ["grade", "--dataset", dataset, "--predictions", source, "--out", str(out)]


@pytest.fixture(scope="module")
def graded(small: SmallSet, home: Path, base: "Base") -> subprocess.CompletedProcess[str]:
    """All predictions, graded for the first time."""
    line = arguments(small, small.place / "out")
    return agent_runner(small, home, *line, "--no-controls", "--json")


def contents(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*.*")}


def read(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_every_prediction_gets_its_verdict_and_the_rest_goes_on(
    small: SmallSet, graded: subprocess.CompletedProcess[str]
) -> None:
    assert graded.returncode == 0, graded.stderr
    summary = json.loads(graded.stdout)
    assert (summary["resolved"], summary["without_verdict"]) == (len(RESOLVED), {})
    assert summary["unknown_ids"] == ["nowhere-1"]
    assert "predictions for instances the data set does not have: nowhere-1" in graded.stderr
    out = small.place / "out"
    outcomes = {name: read(out / name / "grade.json") for name in PATCHES if (out / name).is_dir()}
    assert set(outcomes) == set(PATCHES) - EMPTY - {"nowhere-1"}
    assert {name for name, each in outcomes.items() if each["status"] == "resolved"} == RESOLVED
    for name in NOT_APPLIED:
        assert outcomes[name]["reason"].startswith("the patch does not apply")
    assert "UTF-8" in outcomes["tally-not-text"]["reason"]
    assert outcomes["tally-wrong"]["reason"] == "1 of 1 FAIL_TO_PASS fail"
    assert ours(out) == []


def test_the_reports_have_the_official_shape(
    small: SmallSet, graded: subprocess.CompletedProcess[str]
) -> None:
    out = small.place / "out"
    report = read(out / "report.json")
    assert {key: set(report[key]) for key in report if key.endswith("_ids")} == {
        "completed_ids": RESOLVED | {"tally-wrong"},
        "incomplete_ids": {"tally-unasked"},
        "empty_patch_ids": EMPTY,
        "submitted_ids": ROWS - {"tally-unasked"},
        "resolved_ids": RESOLVED,
        "unresolved_ids": {"tally-wrong"},
        "infra_failure_ids": set(),
        "ambiguous_failure_ids": set(),
        "error_ids": ERRORS,
    }
    for key in (key for key in report if key.endswith("_ids")):
        if key != "incomplete_ids":
            assert report[key.replace("_ids", "_instances")] == len(report[key])
    assert (report["total_instances"], report["schema_version"]) == (len(ROWS), 2)
    one = read(out / "tally-wrong" / "report.json")["tally-wrong"]
    assert (one["patch_successfully_applied"], one["resolved"]) == (True, False)
    assert one["tests_status"]["FAIL_TO_PASS"]["failure"] == ["test_tally.py::test_all_of_them"]
    assert one["tests_status"]["PASS_TO_PASS"]["success"] == ["test_tally.py::test_nothing"]


def test_a_prediction_is_never_edited(
    small: SmallSet, graded: subprocess.CompletedProcess[str]
) -> None:
    for name in (RESOLVED | {"tally-wrong"}) - {"tally-not-text"}:
        patch = PATCHES[name]
        assert patch is not None
        assert (small.place / "out" / name / "patch.diff").read_bytes() == patch.encode()


def test_what_has_a_verdict_is_not_run_again(
    small: SmallSet, home: Path, graded: subprocess.CompletedProcess[str]
) -> None:
    line = [*arguments(small, small.place / "out"), "--no-controls"]
    again = agent_runner(small, home, *line, **NO_ENGINE)
    assert again.returncode == 0, again.stderr
    assert "8 have their verdict" in again.stderr
    elsewhere = small.place / "elsewhere"
    kept = agent_runner(small, home, *arguments(small, elsewhere), "--no-controls")
    assert kept.returncode == 0, kept.stderr
    assert kept.stderr.count("  kept") == 7
    for name in RESOLVED | NOT_APPLIED | {"tally-wrong"}:
        first, second = small.place / "out" / name, elsewhere / name
        assert read(second / "grade.json")["source"] == "kept"
        for file in ("report.json", "test_output.txt", "eval.sh", "attempt.json"):
            assert (first / file).read_bytes() == (second / file).read_bytes()
    assert read(elsewhere / "report.json") == read(small.place / "out" / "report.json")


def test_saved_logs_give_the_same_verdicts_bit_for_bit_without_an_engine(
    small: SmallSet, home: Path, graded: subprocess.CompletedProcess[str]
) -> None:
    out = small.place / "out"
    before = contents(out)
    again = agent_runner(small, home, "regrade", str(out), **NO_ENGINE)
    assert again.returncode == 0, again.stderr
    assert "read 7 logs again, 0 changed" in again.stderr
    assert contents(out) == before


def test_a_verdict_that_changes_is_named(
    small: SmallSet, home: Path, graded: subprocess.CompletedProcess[str]
) -> None:
    out = small.place / "edited"
    agent_runner(small, home, *arguments(small, out), "--no-controls")
    log = out / "tally-good" / "test_output.txt"
    text = log.read_text(encoding="utf-8")
    failed = text.replace(
        "PASSED test_tally.py::test_nothing", "FAILED test_tally.py::test_nothing"
    )
    assert failed != text
    log.write_text(failed, encoding="utf-8")
    again = agent_runner(small, home, "regrade", str(out), "--json", **NO_ENGINE)
    assert "changed: tally-good: resolved -> unresolved" in again.stderr
    assert json.loads(again.stdout)["resolved"] == len(RESOLVED) - 1
    assert "tally-good" in read(out / "report.json")["unresolved_ids"]


def test_a_task_that_does_not_hold_here_is_named_with_its_tests(
    small: SmallSet, home: Path, base: "Base"
) -> None:
    small.write_rows("wrong.jsonl", [small.row("tally-holds"), small.row("tally-not", patch=WRONG)])
    line = arguments(small, small.place / "controls", "wrong.jsonl", "gold")
    done = agent_runner(small, home, *line, "--json")
    assert done.returncode == 3, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["resolved"], summary["invalid_task_ids"]) == (1, ["tally-not"])
    assert "test_all_of_them" in summary["without_verdict"]["tally-not"]
    controls = read(small.place / "controls/tally-holds/grade.json")["grade"]["controls"]
    assert controls == {"gold": "passed", "empty": "passed"}


def test_an_interruption_leaves_what_was_done_and_no_container(
    small: SmallSet, home: Path, base: "Base"
) -> None:
    script = str(small.row("x")["eval_script"])
    slow = small.row("tally-slow", eval_script=script.replace("pytest -rA", "sleep 60; pytest -rA"))
    small.write_rows("slow.jsonl", [small.row("tally-quick"), slow])
    out = small.place / "interrupted"
    line = arguments(small, out, "slow.jsonl", "gold")
    process = subprocess.Popen(
        [sys.executable, "-m", "agent_runner", *line, "--no-controls", "--workers", "2"],
        cwd=ROOT, env=environment(home, small.env), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    for _ in range(600):
        if (out / "tally-quick" / "grade.json").is_file():
            break
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    began_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, time.monotonic() - began_s < 5) == (130, True), said
    assert read(out / "report.json")["resolved_ids"] == ["tally-quick"]
    assert read(out / "summary.json")["not_graded"] == ["tally-slow"]
    assert not (out / "tally-slow" / "grade.json").exists()
    assert ours(out) == []
