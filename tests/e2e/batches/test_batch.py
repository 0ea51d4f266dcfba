"""`batch` as a user types it: what it leaves, how it is cut short, how it goes on."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent_runner.batch.events import from_json
from agent_runner.batch.numbers.write import summary_of
from agent_runner.run_dir import RunDir
from tests.e2e.batches.small_batch import SmallBatch, kept, results
from tests.e2e.conftest import ROOT, ours

if TYPE_CHECKING:
    from tools.workspace.layers.base_image import Base

pytestmark = pytest.mark.e2e

TASKS = 6
LIMIT_S = 5.0
PRICED = "moonshotai/Kimi-K2.6-TEE"
# One reply of 16,384 tokens at most is $0.0467; an episode costs some $0.003. Two are over before
# what is left no longer does for a reply; of three or four at once none might be.
BUDGET_USD = 0.055
# What each kind of script comes to: the agent's own end, and the verdict.
COMES_TO = {
    "solved": ("submitted", "resolved"),
    "unsolved": ("submitted", "unresolved"),
    "given-up": ("gave_up", "unresolved"),
}


@pytest.fixture
def small(tmp_path: Path, home: Path, base: "Base") -> SmallBatch:
    """Six tasks over two instances."""
    return SmallBatch.make(tmp_path / "small", home, layers=2, tasks=TASKS)


def test_every_episode_has_its_line_its_directory_and_its_prediction(
    small: SmallBatch, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = small.run(str(small.yaml), "--out", str(out), "--set", "attempts=2", "--json", "--quiet")
    assert ran.returncode == 0, ran.stderr
    lines = results(out)
    assert len({(line["task_id"], line["attempt"]) for line in lines}) == 2 * TASKS
    for line in lines:
        found = (line["termination"], line["status"])
        assert found == COMES_TO[line["task_id"].partition("__")[0]]
        result = json.loads((out / "episodes" / line["directory"] / "result.json").read_text())
        assert {key: line[key] for key in result} == result
    events = [from_json(text) for text in ran.stdout.splitlines()]
    counted = Counter(event.type for event in events)
    assert counted["batch_started"] == counted["batch_ended"] == 1
    assert counted["episode_started"] == counted["episode_ended"] == 2 * TASKS
    for name in ("preds.jsonl", "preds.2.jsonl"):
        rows = [json.loads(text) for text in (out / name).read_text().splitlines()]
        assert len(rows) == TASKS
        for row in rows:
            is_solved = row["instance_id"].startswith("solved")
            assert ("+    return sum(numbers)" in row["model_patch"]) == is_solved
    summary = json.loads((out / "summary.json").read_text())
    assert summary == json.loads(summary_of(out / "results.jsonl").model_dump_json())
    assert sum(summary["statuses"].values()) == 2 * TASKS


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_batch_is_over_at_once_and_goes_on(
    small: SmallBatch, tmp_path: Path, signal_: signal.Signals
) -> None:
    calm, out = tmp_path / "calm", tmp_path / "out"
    assert small.run(str(small.yaml), "--out", str(calm)).returncode == 0
    process = small.start(str(small.yaml), "--out", str(out), err=tmp_path / "err")
    wait_for_turns(out, process)
    began_s = time.monotonic()
    process.send_signal(signal_)
    process.wait(30)
    spent_s = time.monotonic() - began_s
    said = (tmp_path / "err").read_text()
    assert process.returncode == 130, said
    assert spent_s < LIMIT_S
    assert f"batch --resume {out}" in said
    assert [c for path in (out / "episodes").iterdir() for c in ours(path)] == []
    before = results(out)
    assert len(before) < TASKS
    went_on = small.run("--resume", str(out))
    assert went_on.returncode == 0, went_on.stderr
    assert results(out)[: len(before)] == before
    assert kept(out) == kept(calm)


def wait_for_turns(out: Path, process: subprocess.Popen[bytes]) -> None:
    """Returns once some agent is at work."""
    for _ in range(1200):
        if any(path.stat().st_size > 3000 for path in out.glob("episodes/*/trajectory.jsonl")):
            return
        assert process.poll() is None
        time.sleep(0.05)
    raise AssertionError("no agent came to work")


def test_resume_of_what_is_over_runs_nothing(small: SmallBatch, tmp_path: Path) -> None:
    out = tmp_path / "out"
    small.run(str(small.yaml), "--out", str(out), "--set", "tasks.limit=1")
    before = (out / "results.jsonl").read_bytes()
    went_on = small.run("--resume", str(out))
    assert went_on.returncode == 0, went_on.stderr
    assert (out / "results.jsonl").read_bytes() == before


def test_two_at_once_in_one_directory_are_one_too_many(small: SmallBatch, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = small.start(str(small.yaml), "--out", str(out))
    try:
        wait_for_turns(out, process)
        second = small.run("--resume", str(out))
        assert second.returncode == 2
        assert "is being written by another process" in second.stderr
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert [c for path in (out / "episodes").iterdir() for c in ours(RunDir(path).path)] == []


@pytest.fixture
def endpoint(small: SmallBatch) -> Iterator[str]:
    """The URL of a model that solves the task, at the prices of a profile."""
    argv = [
        sys.executable, "-m", "agent_runner.testing.endpoint", "--model", PRICED,
        "--script", str(small.place / "solved.yaml"),
    ]  # fmt: skip
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def test_a_batch_whose_budget_is_reached_pauses_and_goes_on_with_a_higher_one(
    small: SmallBatch, tmp_path: Path, endpoint: str
) -> None:
    out = tmp_path / "out"
    live = {
        "solver": "agent", "recording": "null", "model": "kimi", "base_url": endpoint,
        "executor.concurrency": 2, "limits.batch_cost_usd": BUDGET_USD,
    }  # fmt: skip
    sets = [text for key, value in live.items() for text in ("--set", f"{key}={value}")]
    ran = small.run(str(small.yaml), "--out", str(out), *sets)
    assert ran.returncode == 3, ran.stderr
    assert "paused: limits.batch_cost_usd" in ran.stderr
    before = results(out)
    assert 0 < len(before) < TASKS
    assert {line["status"] for line in before} == {"resolved"}
    still = small.run("--resume", str(out))
    assert still.returncode == 3, "what was spent stays counted"
    went_on = small.run("--resume", str(out), "--set", "limits.batch_cost_usd=1")
    assert went_on.returncode == 0, went_on.stderr
    assert results(out)[: len(before)] == before
    assert len(results(out)) == TASKS
