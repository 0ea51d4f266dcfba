"""Rows out of files of every form, quickly, and what is wrong with them said by name."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runner.benchmarks.swebench.dataset import find_row, hub_name, open_dataset
from agent_runner.benchmarks.swebench.row import Row, read_row
from agent_runner.benchmarks.swebench.table import JsonLines
from agent_runner.errors import UsageError
from tests.unit.swebench.rows import NEW, OLD, numbered, write_lines, write_parquet

ROWS = numbered(3)
Write = Callable[[Path, list[dict[str, Any]]], str]


def as_list(place: Path, rows: list[dict[str, Any]]) -> str:
    (place / "set.json").write_text(json.dumps(rows), encoding="utf-8")
    return str(place / "set.json")


def as_map(place: Path, rows: list[dict[str, Any]]) -> str:
    by_id = {row["instance_id"]: row for row in rows}
    (place / "set.json").write_text(json.dumps(by_id), encoding="utf-8")
    return str(place / "set.json")


def as_lines(place: Path, rows: list[dict[str, Any]]) -> str:
    return write_lines(place / "set.jsonl", rows)


def as_parquet(place: Path, rows: list[dict[str, Any]]) -> str:
    return write_parquet(place / "set.parquet", rows, row_group_size=2)


def as_directory(place: Path, rows: list[dict[str, Any]]) -> str:
    write_parquet(place / "test.parquet", rows)
    write_parquet(place / "dev.parquet", numbered(1))
    return str(place)


def as_lines_in_directory(place: Path, rows: list[dict[str, Any]]) -> str:
    write_lines(place / "test.jsonl", rows)
    return str(place)


def as_snapshot_of_the_hub(place: Path, rows: list[dict[str, Any]]) -> str:
    (place / "data").mkdir()
    for number, part in enumerate((rows[:1], rows[1:])):
        write_parquet(place / "data" / f"test-0000{number}-of-00002.parquet", part)
    return str(place)


FORMS = (
    as_list, as_map, as_lines, as_parquet, as_directory, as_lines_in_directory,
    as_snapshot_of_the_hub,
)  # fmt: skip


@pytest.mark.parametrize("write", FORMS)
def test_every_form_gives_the_same_rows(tmp_path: Path, write: Write) -> None:
    dataset = open_dataset(write(tmp_path, ROWS))
    assert dataset.table.ids == tuple(row["instance_id"] for row in ROWS)
    backwards = dataset.rows(["someone__words-3", "someone__words-1"])
    assert backwards == [Row.model_validate(ROWS[2]), Row.model_validate(ROWS[0])]


@pytest.mark.parametrize("write", [form for form in FORMS if form is not as_map])
def test_an_id_that_is_there_twice_is_refused(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path, [*ROWS, ROWS[1]])
    with pytest.raises(UsageError, match=r"someone__words-2 is there twice: .*2 and .*4"):
        find_row(path, "someone__words-1")


@pytest.mark.parametrize("write", FORMS)
def test_an_unknown_id_comes_with_the_nearest(tmp_path: Path, write: Write) -> None:
    with pytest.raises(UsageError, match=r"no instance 'words-2'; did you mean someone__words-2"):
        find_row(write(tmp_path, ROWS), "words-2")


@pytest.mark.parametrize("write", [as_list, as_lines, as_parquet])
def test_a_row_is_named_with_what_it_lacks(tmp_path: Path, write: Write) -> None:
    lacking = {key: value for key, value in ROWS[1].items() if key != "base_commit"}
    rows = [{**row, "FAIL_TO_PASS": "[]"} for row in (ROWS[0], lacking)]
    with pytest.raises(UsageError, match="someone__words-2 lacks base_commit, FAIL_TO_PASS"):
        find_row(write(tmp_path, rows), "someone__words-2")


def test_finding_one_row_reads_no_other(tmp_path: Path) -> None:
    others = ['{"instance_id": "a", broken', '{"repo": 7, "instance_id": "b"}']
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join([others[0], json.dumps(NEW), others[1]]), encoding="utf-8")
    assert find_row(str(path), NEW["instance_id"]) == Row.model_validate(NEW)
    with pytest.raises(UsageError, match="line 1: no JSON"):
        find_row(str(path), "a")
    with pytest.raises(UsageError, match="line 3: b lacks base_commit, FAIL_TO_PASS"):
        find_row(str(path), "b")


TEXTS = st.text() | st.sampled_from(['"instance_id": "x"', '\\"instance_id": "', "\u2028", "a\nb"])
VALUES = TEXTS | st.integers() | st.lists(TEXTS) | st.dictionaries(TEXTS, TEXTS)
NESTED = st.fixed_dictionaries({"instance_id": TEXTS})


@given(st.lists(st.tuples(st.text(min_size=1), VALUES | NESTED, st.booleans())), st.booleans())
def test_ids_are_found_whatever_stands_around_them(
    found: list[tuple[str, object, bool]], ascii_only: bool
) -> None:
    rows = [
        {"before": value, "instance_id": name} if first else {"instance_id": name, "after": value}
        for name, value, first in found
    ]
    lines = [
        json.dumps(row, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass") for row in rows
    ]
    table = JsonLines(Path("set.jsonl"), tuple(enumerate(lines, start=1)))
    assert table.ids == tuple(name for name, _, _ in found)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("set.jsonl", b'{"instance_id": "a"\n', "line 1: no JSON"),
        ("set.jsonl", b'{"a": 1}\n', "line 1: the row lacks instance_id"),
        ("set.jsonl", b"[1]\n", "line 1: the row lacks instance_id"),
        ("set.json", b"{", "set.json: no JSON"),
        ("set.json", b"\xff\xfe[", "UTF-8"),
        ("set.json", b"[" * 100_000, "nested too deeply"),
        ("set.json", b"[7]", "row 1: the row lacks instance_id"),
        ("set.parquet", b"no parquet", "cannot read .*set.parquet"),
        ("dev.parquet", b"", "has no test.parquet, .*it has the splits dev"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    path = tmp_path if name.startswith("dev") else tmp_path / name
    with pytest.raises(UsageError, match=said):
        find_row(str(path), "a")


def test_parquet_without_ids_names_its_columns(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "set.parquet", [{"id": "a"}])
    with pytest.raises(UsageError, match=r"lacks instance_id; it has \['id'\]"):
        find_row(path, "a")


@pytest.mark.parametrize("ids", ['["a", "b"]', ["a", "b"]])
def test_ids_are_a_list_or_that_list_as_json(ids: object) -> None:
    assert Row.model_validate(NEW | {"FAIL_TO_PASS": ids}).FAIL_TO_PASS == ("a", "b")


@pytest.mark.parametrize(
    "day",
    [
        "2023-03-04T18:36:21Z",
        datetime.fromisoformat("2023-03-04T18:36:21"),
        datetime.fromisoformat("2023-03-04T19:36:21+01:00"),
        1677954981,
        1677954981000,
    ],
)
def test_a_date_is_text_or_a_timestamp(day: object) -> None:
    assert Row.model_validate(NEW | {"created_at": day}).created_at == "2023-03-04T18:36:21Z"


def test_a_timestamp_of_parquet_is_a_date(tmp_path: Path) -> None:
    rows = [NEW | {"created_at": datetime.fromisoformat("2023-03-04T18:36:21")}]
    row = find_row(as_parquet(tmp_path, rows), NEW["instance_id"])
    assert row.created_at == "2023-03-04T18:36:21Z"


def test_nulls_and_columns_that_are_not_known_do_not_matter() -> None:
    row = Row.model_validate(OLD | {"image": None, "difficulty": None, "version": 2.0, "x": [1]})
    assert (row.image, row.difficulty, row.version) == ("", "", "2.0")


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", "a\x00b", "x" * 201])
def test_an_id_that_cannot_name_a_directory_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="instance_id"):
        read_row(NEW | {"instance_id": name}, "here")


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("SWE-bench", "SWE-bench/SWE-bench"),
        ("swe_bench", "SWE-bench/SWE-bench"),
        ("SWE-bench_Lite", "SWE-bench/SWE-bench_Lite"),
        ("swe-bench-lite", "SWE-bench/SWE-bench_Lite"),
        ("lite", "SWE-bench/SWE-bench_Lite"),
        ("SWE-bench_Verified", "SWE-bench/SWE-bench_Verified"),
        ("swebench-verified", "SWE-bench/SWE-bench_Verified"),
        ("princeton-nlp/SWE-bench_Lite", "princeton-nlp/SWE-bench_Lite"),
    ],
)
def test_aliases_in_any_spelling(name: str, full: str) -> None:
    assert hub_name(name) == full


@pytest.mark.parametrize("name", ["SWE-bench_Verifed", "", "nothing"])
def test_a_name_that_is_no_alias_says_what_may_be_named(name: str) -> None:
    with pytest.raises(UsageError, match="SWE-bench_Verified, or OWNER/NAME on Hugging Face"):
        hub_name(name)


@pytest.mark.parametrize("name", ["no.jsonl", "./no", "/no/such.parquet", "~/no/such/place"])
def test_a_path_that_is_not_there_is_never_asked_of_the_hub(name: str) -> None:
    with pytest.raises(UsageError, match="there is no data set"):
        open_dataset(name)
