"""Every real run of the corpus is told as a person, who knows the project, tells it."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.corpora.runs.corpus import ENTRIES, content, expectations, facts, read
from tests.corpora.runs.make import command
from tests.corpora.runs.runs import RUNS
from tools.testruns.outcome import Counts

EXPECTED = expectations()
NAMES = sorted(RUNS)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_run_is_told_as_written_by_hand(name: str) -> None:
    expected = EXPECTED[name]
    run = read(expected.of or name, tuple(expected.outcomes) if expected.of else ())
    outcomes = dict(run.outcomes)
    named = outcomes if expected.all else {key: outcomes.get(key) for key in expected.outcomes}
    assert (named, run.counts) == (expected.outcomes, Counts(**expected.counts))
    assert (run.source, run.disagreement) == (expected.source, expected.disagreement)
    assert (run.summary, run.exit_code) == (expected.summary, expected.exit_code)


def test_every_run_has_an_entry_and_an_expectation() -> None:
    assert {path.name for path in ENTRIES.iterdir()} == set(RUNS)
    assert {name for name, expected in EXPECTED.items() if not expected.of} == set(RUNS)
    assert {expected.of for expected in EXPECTED.values()} - {""} <= set(RUNS)


def test_corpus_is_as_wide_as_it_has_to_be() -> None:
    assert len(RUNS) >= 60
    packages = Counter(package for name in NAMES for package in facts(name).packages)
    versions = {package.removeprefix("pytest==") for package in packages if "pytest==" in package}
    assert {re.match(r"[0-9]+\.[0-9]+", version)[0] for version in versions} >= {  # type: ignore[index]
        "3.10", "4.6", "5.4", "6.2", "7.4", "8.3", "8.4", "9.2",
    }  # fmt: skip
    assert {facts(name).runner for name in NAMES} == {run.runner for run in RUNS.values()}
    assert {facts(name).python.rpartition(".")[0] for name in NAMES} >= {
        "2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_entry_is_of_the_command_that_the_tool_starts_now(name: str) -> None:
    made, run = facts(name), RUNS[name]
    assert made.argv == command(run)
    assert (made.runner, made.paths, made.k) == (run.runner, run.paths, run.k)


def test_entries_are_small_and_say_nothing_of_the_machine() -> None:
    files = [path for path in ENTRIES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_500_000
    home = str(Path.home()).encode()
    telling = re.compile(rb"/(?:root|home|work|opt)/|" + re.escape(home) + rb"/")
    assert [
        name
        for name in NAMES
        for stream in ("stdout", "stderr", "report.xml")
        if telling.search(content(name, stream) or b"")
    ] == []
