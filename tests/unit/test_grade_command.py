"""`grade` and `regrade` on the command line: what is wrong is one line and exit 2, or exit 3."""

import json
from pathlib import Path

import pytest

from tests.unit.swebench.rows import NEW, OLD, numbered, write_lines
from tests.unit.test_command_line import Run, refused, run  # noqa: F401 - `run` is a fixture

ID = NEW["instance_id"]


@pytest.fixture(autouse=True)
def _files(run: Run) -> None:  # noqa: F811 - the directory it makes
    write_lines(Path("set.jsonl"), numbered(2))
    write_lines(Path("old.jsonl"), [OLD | {"test_patch": ""}])
    found = [{"instance_id": ID, "model_patch": "x"}]
    Path("preds.json").write_text(json.dumps(found), encoding="utf-8")
    Path("else.json").write_text('[{"instance_id": "z-1", "model_patch": "x"}]', encoding="utf-8")
    Path("prose.txt").write_text("no predictions\n", encoding="utf-8")
    Path("full").mkdir()
    Path("full/mine.txt").touch()


SET = ("grade", "--dataset", "set.jsonl")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["grade"], ["--dataset"]),
        ([*SET], ["--predictions"]),
        ([*SET, "--predictions", "none.json"], ["none.json", "No such file"]),
        ([*SET, "--predictions", "prose.txt"], ["prose.txt, line 1: no JSON"]),
        ([*SET, "--predictions", "else.json"], ["else.json has no prediction", "z-1"]),
        ([*SET, "--predictions", "gold", "--instance-ids", "x"], ["no instance 'x'"]),
        ([*SET, "--predictions", "gold", "--filter", "repo=x/y"], ["no instance fits"]),
        ([*SET, "--predictions", "gold", "--filter", "rep=x"], ["--filter rep=x", "repo"]),
        ([*SET, "--predictions", "gold", "--workers", "0"], ["--workers"]),
        ([*SET, "--predictions", "gold", "--out", "full"], ["full is not empty"]),
        ([*SET, "--predictions", "gold", "--set", "limits.grade=1"], ["limits.grade_s"]),
        (["grade", "--dataset", "no.jsonl", "--predictions", "gold"], ["no data set no.jsonl"]),
        (["grade", "--dataset", "Veri", "--predictions", "gold"], ["no file or data set 'Veri'"]),
        (
            ["grade", "--dataset", "old.jsonl", "--predictions", "gold"],
            [f"{ID} lacks eval_script, and test_patch"],
        ),
        (["regrade"], ["DIR"]),
        (["regrade", "none"], ["none is not what `grade` writes"]),
        (["regrade", "full"], ["full is not what `grade` writes"]),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    run: Run, arguments: list[str], said: list[str]  # noqa: F811
) -> None:  # fmt: skip
    refused(run(*arguments), *said)
    assert [path.name for path in Path("full").iterdir()] == ["mine.txt"]


def test_without_an_engine_nothing_is_graded_and_the_exit_code_is_3(run: Run) -> None:  # noqa: F811
    ended = run(*SET, "--predictions", "preds.json", "--out", "out")
    assert ended.code == 3
    assert "engine_unavailable" in ended.err
    assert not list(Path("out").glob("*/grade.json"))


def test_empty_predictions_alone_need_no_engine(run: Run) -> None:  # noqa: F811
    found = [{"instance_id": ID, "model_patch": None}]
    Path("preds.json").write_text(json.dumps(found), encoding="utf-8")
    ended = run(*SET, "--predictions", "preds.json", "--out", "out", "--json")
    assert ended.code == 0
    summary = json.loads(ended.out)
    assert (summary["empty"], summary["submitted"], summary["incomplete"]) == (1, 1, 1)
    report = json.loads(Path("out/report.json").read_text(encoding="utf-8"))
    assert report["empty_patch_ids"] == [ID]
    assert report["error_ids"] == []
    assert f"1 empty predictions, which are not run: {ID}" in ended.err
