"""`batch --resume` of a batch that is over: it says what it came to, and starts nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent_runner.batch.numbers.write import kept_summary, summary_of
from agent_runner.places import root
from tests.bench.batches.finished import write_finished

TASKS, ATTEMPTS = 3, 2
# Each takes a good part of the two seconds that 2,000 results may take.
HEAVY = {"aiohttp", "autogen_core", "openai", "scipy"}


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    return write_finished(tmp_path / "place", TASKS, ATTEMPTS)


def resumed(batch: Path) -> tuple[str, set[str]]:
    """What it says, and what of the heavy it imported."""
    script = (
        "import runpy, sys\n"
        f"sys.argv = ['agent_runner', 'batch', '--resume', {str(batch)!r}]\n"
        "try:\n    runpy.run_module('agent_runner', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print(*sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr, HEAVY & set(done.stdout.split())


def test_it_sums_up_once_and_keeps_that(batch: Path) -> None:
    said, heavy = resumed(batch)
    assert heavy == set()  # drawing the intervals included
    summary = batch / "summary.json"
    written, kept = summary.stat().st_mtime_ns, kept_summary(batch)
    assert kept == summary_of(batch / "results.jsonl")
    again, heavy = resumed(batch)
    assert (again, heavy) == (said, set())
    assert summary.stat().st_mtime_ns == written
    lines = (batch / "preds.2.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["instance_id"] for line in lines] == [
        f"owner__project-{n:05d}" for n in range(TASKS)
    ]


def test_a_result_that_came_meanwhile_is_summed_up(batch: Path) -> None:
    results = batch / "results.jsonl"
    lines = results.read_bytes().splitlines(keepends=True)
    results.write_bytes(b"".join(lines[:-1]))
    resumed(batch)  # its result.json is there: it is journalled, not run
    assert len(results.read_bytes().splitlines()) == TASKS * ATTEMPTS
    kept = kept_summary(batch)
    assert kept is not None
    assert kept.statuses["resolved"] + kept.statuses["unresolved"] == TASKS * ATTEMPTS
