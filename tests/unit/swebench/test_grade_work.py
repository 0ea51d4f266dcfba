"""Rows and predictions brought together, and the directory they are graded into."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent_runner.benchmarks.swebench.subset import Subset
from agent_runner.config import RunConfig
from agent_runner.errors import UsageError
from agent_runner.evaluation.directory import GradeDir, Outcome, open_grade_dir
from agent_runner.evaluation.item import Item
from agent_runner.evaluation.run import (
    EACH_BYTES,
    RESERVED_BYTES,
    Job,
    default_workers,
    is_done,
    spread,
)
from agent_runner.evaluation.summary import summarise
from agent_runner.evaluation.work import Work, bring_together
from agent_runner.result import Controls, Grade, Status, TestList
from tests.unit.swebench.rows import NEW, numbered, write_lines
from tools.workspace.engine import EngineFacts

IDS = tuple(f"someone__words-{n}" for n in range(1, 6))
GRADE = Grade(
    resolved=True, official=True, suspect=False, patch_applied=True,
    FAIL_TO_PASS=TestList(), PASS_TO_PASS=TestList(), exit_code=0, network="closed",
    controls=Controls(),
)  # fmt: skip


@pytest.fixture
def dataset(tmp_path: Path) -> str:
    return write_lines(tmp_path / "set.jsonl", numbered(5))


def predicted(tmp_path: Path, patches: dict[str, object]) -> str:
    path = tmp_path / "preds.json"
    found = [{"instance_id": name, "model_patch": patch} for name, patch in patches.items()]
    path.write_text(json.dumps(found), encoding="utf-8")
    return str(path)


def test_unknown_missing_empty_and_repeated_are_named_and_the_rest_goes_on(
    dataset: str, tmp_path: Path
) -> None:
    source = predicted(tmp_path, {IDS[0]: "x", IDS[1]: None, IDS[2]: "", "else__where-1": "y"})
    work = bring_together(Subset(dataset), source)
    assert [item.row.instance_id for item in work.items] == [IDS[0]]
    facts = work.facts
    assert (facts.selected_ids, facts.submitted_ids) == (IDS, IDS[:3])
    assert (facts.empty_ids, facts.unknown_ids) == (IDS[1:3], ("else__where-1",))
    assert work.remarks() == [
        "1 predictions for instances the data set does not have: else__where-1",
        f"2 instances without a prediction: {IDS[3]}, {IDS[4]}",
        f"2 empty predictions, which are not run: {IDS[1]}, {IDS[2]}",
    ]


def test_predictions_for_known_instances_that_are_not_chosen_are_not_unknown(
    dataset: str, tmp_path: Path
) -> None:
    source = predicted(tmp_path, dict.fromkeys(IDS, "x"))
    work = bring_together(Subset(dataset, instance_ids=IDS[:1]), source)
    assert (work.facts.submitted_ids, work.facts.unknown_ids) == (IDS[:1], ())


def test_predictions_for_nothing_that_is_chosen_are_refused(dataset: str, tmp_path: Path) -> None:
    source = predicted(tmp_path, {"else__where-1": "x"})
    with pytest.raises(UsageError, match=r"no prediction for the chosen .*else__where-1"):
        bring_together(Subset(dataset), source)


def test_gold_and_empty_come_from_the_rows(dataset: str, tmp_path: Path) -> None:
    gold = bring_together(Subset(dataset), "gold")
    assert [item.patch for item in gold.items] == [NEW["patch"].encode()] * 5
    empty = bring_together(Subset(dataset), "empty")
    assert [item.patch for item in empty.items] == [b""] * 5
    assert empty.facts.empty_ids == ()
    without = write_lines(tmp_path / "without.jsonl", [NEW | {"patch": ""}])
    with pytest.raises(UsageError, match="someone__words-1 lacks patch"):
        bring_together(Subset(without), "gold")


def test_rows_nobody_predicted_may_be_wrong(tmp_path: Path) -> None:
    dataset = write_lines(tmp_path / "set.jsonl", [NEW, {"instance_id": "wrong"}])
    source = predicted(tmp_path, {NEW["instance_id"]: "x"})
    assert len(bring_together(Subset(dataset), source).items) == 1


def test_the_identity_is_of_the_patch_and_the_rules(dataset: str, tmp_path: Path) -> None:
    def identity(predicted_patch: str, **changes: object) -> str:
        path = write_lines(tmp_path / "one.jsonl", [NEW | changes])
        source = predicted(tmp_path, {NEW["instance_id"]: predicted_patch})
        return bring_together(Subset(path), source).items[0].identity

    same = identity("x")
    assert identity("x", problem_statement="other", patch="other") == same
    assert identity("x\n") != same
    assert identity("x", FAIL_TO_PASS='["other"]') != same
    assert identity("x", log_parser="parse_log_pytest_v2") != same
    assert identity("x", eval_script=NEW["eval_script"].replace("true", "false")) != same


def outcome(item: Item, status: Status, **more: Any) -> Outcome:
    reason = "" if status is Status.RESOLVED else "why"
    return item.outcome(status, reason).model_copy(update={"grade": GRADE, **more})


def finish(directory: GradeDir, item: Item, status: Status, **more: Any) -> None:
    directory.begin(item.row, item.patch)
    if status in {Status.RESOLVED, Status.UNRESOLVED}:
        report = {item.row.instance_id: {"resolved": status is Status.RESOLVED}}
        path = directory.instance(item.row.instance_id) / "report.json"
        path.write_text(json.dumps(report), encoding="utf-8")
    directory.finish(outcome(item, status, **more))


@pytest.fixture
def work(dataset: str) -> Work:
    return bring_together(Subset(dataset), "gold")


def test_the_reports_of_a_run(work: Work, tmp_path: Path) -> None:
    directory = open_grade_dir(tmp_path / "out", work.facts)
    finish(directory, work.items[0], Status.RESOLVED)
    finish(directory, work.items[1], Status.UNRESOLVED)
    finish(directory, work.items[2], Status.UNRESOLVED, counts_as_error=True)
    finish(directory, work.items[3], Status.INFRA_ERROR, grade=None)
    summary = summarise(directory, work.facts)
    report = json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))
    assert {key: report[key] for key in report if key.endswith("_ids")} == {
        "completed_ids": [IDS[0], IDS[1]],
        "incomplete_ids": [],
        "empty_patch_ids": [],
        "submitted_ids": list(IDS),
        "resolved_ids": [IDS[0]],
        "unresolved_ids": [IDS[1]],
        "infra_failure_ids": [],
        "ambiguous_failure_ids": [],
        "error_ids": [IDS[2], IDS[3], IDS[4]],
    }
    assert (report["schema_version"], report["total_instances"]) == (2, 5)
    assert (summary.resolved, summary.unresolved) == (1, 2)
    assert summary.without_verdict == {IDS[3]: "why"}
    assert summary.not_graded == (IDS[4],)
    assert not summary.is_whole


@pytest.mark.parametrize(
    ("last", "is_whole"), [(Status.UNRESOLVED, True), (Status.INVALID_TASK, False)]
)
def test_a_run_is_whole_when_every_prediction_has_a_verdict(
    work: Work, tmp_path: Path, last: Status, is_whole: bool
) -> None:
    directory = open_grade_dir(tmp_path / "out", work.facts)
    for item in work.items:
        finish(directory, item, Status.UNRESOLVED if item is not work.items[-1] else last)
    assert summarise(directory, work.facts).is_whole is is_whole


def test_a_directory_of_something_else_is_refused_and_left_alone(
    work: Work, dataset: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="is not empty and no grading"):
        open_grade_dir(out, work.facts)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    (out / "mine.txt").unlink()
    open_grade_dir(out, work.facts)
    other = bring_together(Subset(dataset), "empty")
    with pytest.raises(UsageError, match="holds the grades of gold on"):
        open_grade_dir(out, other.facts)
    with pytest.raises(UsageError, match="cannot make"):
        open_grade_dir(out / "run.json" / "below", work.facts)


def test_predictions_that_grew_go_on_in_the_same_directory(dataset: str, tmp_path: Path) -> None:
    source = predicted(tmp_path, {IDS[0]: "x"})
    open_grade_dir(tmp_path / "out", bring_together(Subset(dataset), source).facts)
    predicted(tmp_path, {IDS[0]: "x", IDS[1]: "y"})
    grown = bring_together(Subset(dataset), source).facts
    assert open_grade_dir(tmp_path / "out", grown).facts() == grown
    moved = tmp_path / "moved.json"
    moved.write_bytes(Path(source).read_bytes())
    open_grade_dir(tmp_path / "out", bring_together(Subset(dataset), str(moved)).facts)


def test_what_is_half_written_is_no_outcome(work: Work, tmp_path: Path) -> None:
    directory = open_grade_dir(tmp_path / "out", work.facts)
    finish(directory, work.items[0], Status.RESOLVED)
    assert directory.outcome(IDS[0]) == outcome(work.items[0], Status.RESOLVED)
    again = directory.begin(work.items[0].row, b"patch")
    assert directory.outcome(IDS[0]) is None
    assert sorted(path.name for path in again.iterdir()) == ["patch.diff", "row.json"]
    (again / "grade.json").write_text('{"status": "resol', encoding="utf-8")
    assert directory.outcome(IDS[0]) is None
    assert directory.row(IDS[0]) == work.items[0].row


def test_projects_take_turns(tmp_path: Path) -> None:
    repos = ["a/a", "a/a", "a/a", "b/b", "c/c", "b/b"]
    rows = [row | {"repo": repo} for row, repo in zip(numbered(6), repos, strict=True)]
    work = bring_together(Subset(write_lines(tmp_path / "set.jsonl", rows)), "gold")
    assert [item.row.repo[0] for item in spread(work.items)] == list("abcaba")


@pytest.mark.parametrize(
    ("cpus", "memory", "workers"), [(8, 64, 8), (8, 5, 4), (2, 1, 1), (1, 64, 1)]
)
def test_as_many_at_once_as_the_engine_has_room_for(cpus: int, memory: int, workers: int) -> None:
    assert (RESERVED_BYTES, EACH_BYTES) == (1 << 30, 1 << 30)
    facts = EngineFacts("1", "overlay2", Path("/"), "host", cpus, memory << 30)
    assert default_workers(facts) == workers


def test_one_process_at_a_time_writes_to_a_directory(work: Work, tmp_path: Path) -> None:
    directory = open_grade_dir(tmp_path / "out", work.facts)
    with directory.locked():
        again = open_grade_dir(tmp_path / "out", work.facts)
        with pytest.raises(UsageError, match="another process"), again.locked():
            pass
    with again.locked():
        pass


def test_what_is_done_needs_the_same_work_a_verdict_and_its_controls(
    work: Work, tmp_path: Path
) -> None:
    directory = open_grade_dir(tmp_path / "out", work.facts)
    item, other = work.items[:2]
    plain = Job(work, directory, tmp_path, RunConfig(controls=False), None, fresh=False)
    strict = replace(plain, config=RunConfig())
    assert not is_done(plain, item)
    finish(directory, item, Status.RESOLVED)
    assert is_done(plain, item)
    assert not is_done(strict, item)
    controlled = GRADE.model_copy(update={"controls": Controls(gold="passed", empty="passed")})
    finish(directory, item, Status.RESOLVED, grade=controlled)
    assert is_done(strict, item)
    finish(directory, item, Status.RESOLVED, grade=controlled, identity=other.identity)
    assert not is_done(strict, item)
    finish(directory, item, Status.INVALID_TASK, grade=controlled)
    assert not is_done(strict, item)
