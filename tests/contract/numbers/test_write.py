"""`summary.json`, from the batch and made again."""

import os
from pathlib import Path

import pytest

from agent_runner.batch.entry import Entry
from agent_runner.batch.numbers.summary import Summary, summarise
from agent_runner.batch.numbers.write import kept_summary, summary_of, write_summary
from agent_runner.errors import UsageError
from tests.contract.numbers.entries import entry, lost, of, used

RESULTS = of(
    entry("zwölf", 1, turns=3, usage=used(cost_usd=0.1)),
    entry("zwölf", 2, status="unresolved", tail="\u2028 line", usage=used()),
    entry("b", 1, status="infra_error", error=lost()),
    entry("c", 1, status="unresolved", duration_s=0.1 + 0.2),
    planned=6,
)


def written(path: Path, results: list[Entry], rest: bytes = b"") -> Path:
    file = path / "results.jsonl"
    lines = "".join(f"{each.model_dump_json()}\n" for each in results)
    file.write_bytes(lines.encode() + rest)
    return file


@pytest.mark.parametrize("rest", [b"", b'{"task_id": "half', RESULTS[0].model_dump_json().encode()])
def test_it_is_made_again_byte_for_byte_from_results_alone(tmp_path: Path, rest: bytes) -> None:
    write_summary(tmp_path, summarise(RESULTS))
    first = (tmp_path / "summary.json").read_bytes()
    again = tmp_path / "again"
    again.mkdir()
    write_summary(again, summary_of(written(tmp_path, RESULTS[::-1], rest)))
    assert (again / "summary.json").read_bytes() == first
    assert Summary.model_validate_json(first) == summarise(RESULTS)
    assert {path.name for path in tmp_path.iterdir()} == {"summary.json", "results.jsonl", "again"}


def test_a_summary_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    write_summary(tmp_path, summarise(RESULTS))
    before = (tmp_path / "summary.json").read_bytes()
    (tmp_path / ".summary.json.part").mkdir()
    with pytest.raises(IsADirectoryError):
        write_summary(tmp_path, summarise([], planned=1))
    assert (tmp_path / "summary.json").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"results\.jsonl: there are no results"),
        (b"{}\n", r"results\.jsonl, line 1: task_id: Field required"),
        (b"{\n", r"results\.jsonl, line 1: .*Invalid JSON"),
    ],
)
def test_a_file_that_is_none_of_ours(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "results.jsonl").write_bytes(content)
    with pytest.raises(UsageError, match=said):
        summary_of(tmp_path / "results.jsonl")
    with pytest.raises(UsageError, match="cannot be read: there is no such file"):
        summary_of(tmp_path / "none.jsonl")


def test_a_summary_is_kept_until_there_are_other_results(tmp_path: Path) -> None:
    results = written(tmp_path, RESULTS)
    assert kept_summary(tmp_path) is None
    write_summary(tmp_path, summarise(RESULTS))
    assert kept_summary(tmp_path) == summarise(RESULTS)
    later = (tmp_path / "summary.json").stat().st_mtime_ns + 1
    os.utime(results, ns=(later, later))
    assert kept_summary(tmp_path) is None


def test_a_summary_of_another_version_is_made_again(tmp_path: Path) -> None:
    written(tmp_path, RESULTS)
    (tmp_path / "summary.json").write_text('{"schema_version": 0}', encoding="utf-8")
    assert kept_summary(tmp_path) is None
