"""The record of a run: keys, words and exit codes of the contract."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agent_runner.config import RunConfig
from agent_runner.draft import Draft
from agent_runner.errors import (
    FaultKind,
    InfraFault,
    ProviderFault,
    ProviderKind,
    UsageError,
)
from agent_runner.grading.attempt import Attempt, Ran
from agent_runner.grading.recipe import Log, Reading
from agent_runner.grading.verdict import Verdict
from agent_runner.result import EXIT_CODES, Grade, Result, Status, Termination, TestList
from agent_runner.run_dir import RunDir, create
from agent_runner.stages import Stages
from agent_runner.task import Task

KEYS = (
    "task_id repo ref pytest_k status duration_s tail termination grade error turns usage stages "
    "repairs isolation patch_sha256 provenance tool_use schema_version"
)
LOG = Log(Path("log"), exit_code=0, timed_out=False, patch_applied=True)
RAN = Ran("c", pristine=True, network_closed=True, log=LOG)


def draft(solver: str = "none") -> Draft:
    task = Task(task_id="größe", repo="r", ref="v1", pytest_k="k")
    config = RunConfig.model_validate({"solver": solver})
    return Draft(task, config, Stages(time.monotonic()))


def grade(**given: object) -> Grade:
    lists = {"FAIL_TO_PASS": TestList(), "PASS_TO_PASS": TestList()}
    plain = {"resolved": True, "official": True, "suspect": False, "patch_applied": True}
    return Grade.model_validate(
        plain | lists | {"exit_code": 0, "network": "closed"} | given, strict=False
    )


def verdict(**ran: object) -> Verdict:
    reading = Reading(True, TestList(), TestList(), {"resolved": True})
    made = Attempt(replace(RAN, **ran), reading)  # type: ignore[arg-type]
    return Verdict(grade(), (made,), {"größe": reading.report})


def test_keys_stand_in_the_order_of_the_contract() -> None:
    written = json.loads(draft().result().compact())
    assert " ".join(written) == KEYS
    assert " ".join(written["usage"]) == (
        "prompt_tokens completion_tokens cached_tokens calls retries cost_usd "
        "reasoning_tokens retried"
    )
    assert " ".join(written["isolation"]) == (
        "commits_after_base unreachable_objects foreign_git_stores network hidden_tests_present "
        "fresh_grader exploit_hints"
    )
    assert " ".join(json.loads(grade().model_dump_json())) == (
        "resolved official suspect patch_applied FAIL_TO_PASS PASS_TO_PASS exit_code network "
        "reran controls note"
    )


def test_the_compact_form_is_one_line_and_reads_back() -> None:
    made = draft()
    made.tail_after = "line\nünd \u2028 more\n"
    result = made.result()
    assert "\n" not in result.compact()
    assert Result.model_validate_json(result.compact()) == result


def test_statuses_and_ends_are_the_words_of_the_contract() -> None:
    assert " ".join(Status) == (
        "resolved unresolved infra_error provider_error invalid_task interrupted"
    )
    assert " ".join(Termination) == (
        "tests_passed tail_pattern submitted gave_up max_turns timeout token_budget cost_budget "
        "context_overflow"
    )
    assert " ".join([*FaultKind, *ProviderKind]) == (
        "engine_unavailable container_lost host_disk_full image_unavailable mirror_failed "
        "index_unreachable stage_timeout provider_auth provider_quota provider_model "
        "provider_unavailable provider_reply"
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("resolved", 0),
        ("unresolved", 1),
        ("infra_error", 3),
        ("provider_error", 3),
        ("invalid_task", 3),
        ("interrupted", 130),
    ],
)
def test_each_status_has_its_exit_code(status: str, code: int) -> None:
    made = draft()
    made.status = Status(status)
    assert made.result().exit_code == code
    assert set(EXIT_CODES) == set(Status)


def test_what_never_came_to_an_end_was_interrupted() -> None:
    assert draft().result().status is Status.INTERRUPTED


@pytest.mark.parametrize(
    ("error", "status", "kind", "retryable"),
    [
        (InfraFault(FaultKind.CONTAINER_LOST, "gone"), "infra_error", "container_lost", False),
        (
            ProviderFault(ProviderKind.QUOTA, "used up", retryable=True),
            "provider_error", "provider_quota", True,
        ),
        (KeyError("gone"), "infra_error", "internal", False),
    ],
)  # fmt: skip
def test_a_fault_says_what_failed_and_in_which_stage(
    error: Exception, status: str, kind: str, retryable: bool
) -> None:
    made = draft()
    with pytest.raises(type(error)), made.stages.stage("agent"):
        raise error
    made.fail(error)
    result = made.result()
    assert result.status == status
    assert result.error is not None
    assert (result.error.kind, result.error.stage) == (kind, "agent")
    assert result.error.retryable is retryable
    assert "gone" in result.error.message or "used up" in result.error.message
    assert result.grade is None


def test_the_tail_is_the_gradings_else_the_last_tests() -> None:
    made = draft()
    assert made.result().tail == ""
    made.tail_before = "before\n"
    assert made.result().tail == "before"
    made.tail_after = "\x1b[31mafter\x1b[0m\n"
    assert made.result().tail == "after"
    made.verdict = verdict(test_output="\n".join(str(n) for n in range(30)) + "\n\n")
    assert made.result().tail.split("\n") == [str(n) for n in range(10, 30)]


def test_a_patch_that_touches_the_test_runner_makes_the_grade_suspect() -> None:
    made = draft()
    made.grade = grade()
    made.patch = b"--- a/x.py\n+++ b/x.py\n"
    assert made.result().grade == grade(suspect=False)
    made.patch = b"--- /dev/null\n+++ b/tests/conftest.py\n"
    result = made.result()
    assert result.grade == grade(suspect=True)
    assert [hint.where for hint in result.isolation.exploit_hints] == ["tests/conftest.py"]


def test_nothing_measured_is_null_and_not_closed() -> None:
    evidence = draft().result().isolation
    assert evidence.network is None
    assert evidence.commits_after_base is None
    assert evidence.fresh_grader is None


def test_the_grader_is_fresh_if_it_is_another_pristine_container() -> None:
    made = draft()
    made.agent_container = "agent"
    for container, pristine, fresh in [("g", True, True), ("g", False, False), ("agent", True, 0)]:
        made.verdict = verdict(container_id=container, pristine=pristine)
        assert made.result().isolation.fresh_grader is bool(fresh)


def test_no_patch_has_no_digest_and_an_empty_one_has() -> None:
    made = draft()
    assert made.result().patch_sha256 is None
    made.patch = b""
    assert made.result().patch_sha256 == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_everything_is_written_and_the_result_is_there_only_at_the_end(tmp_path: Path) -> None:
    directory = create("slug", tmp_path / "out")
    names = {"patch.diff", "tail_before.txt", "tail_after.txt", "trajectory.jsonl"}
    assert {path.name for path in directory.path.iterdir()} == names | {"outputs", "grading"}
    made = draft()
    made.patch, made.tail_before, made.grade = b"diff \xff", "tests failed", grade()
    made.verdict = verdict(script="run the tests", apply_output=b"applied")
    result = made.write(directory)
    there = json.loads((directory.path / "result.json").read_text(encoding="utf-8"))
    assert " ".join(there) == KEYS
    assert Result.model_validate(there) == result
    assert (directory.path / "patch.diff").read_bytes() == b"diff \xff"
    assert (directory.path / "tail_before.txt").read_text(encoding="utf-8") == "tests failed"
    assert {path.name: path.read_text("utf-8")[:7] for path in directory.grading.iterdir()} == {
        "eval.sh": "run the", "apply.txt": "applied", "report.json": '{\n    "',
        "attempt.json": '{\n  "ve',
    }  # fmt: skip
    report = json.loads((directory.grading / "report.json").read_text("utf-8"))
    assert report == {"größe": {"resolved": True}}
    assert not list(directory.path.glob(".*"))


def test_a_run_directory_is_named_by_time_and_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_RUNNER_ROOT", str(tmp_path))
    directory = create("a-task", None)
    assert directory.path.parent == tmp_path / "sandbox" / "runs"
    stamp, _, slug = directory.path.name.partition("-")
    assert time.strptime(stamp.partition(".")[0], "%Y%m%dT%H%M%S")
    assert len(stamp.partition(".")[2]) == len("123Z")
    assert slug == "a-task"


def test_runs_in_directories_of_one_name_are_told_apart(tmp_path: Path) -> None:
    first, second = create("t", tmp_path / "a" / "run"), create("t", tmp_path / "b" / "run")
    assert first.run_id != second.run_id
    assert first.run_id == RunDir(first.path).run_id


def test_directories_of_one_name_are_two_runs(tmp_path: Path) -> None:
    first, second = (create("slug", tmp_path / place / "out") for place in ("a", "b"))
    assert first.run_id != second.run_id
    assert first.run_id.startswith("out-")


def test_a_directory_that_holds_something_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for taken in (tmp_path, tmp_path / "file"):
        with pytest.raises(UsageError, match="is not empty"):
            create("slug", taken)
    with pytest.raises(UsageError, match="cannot make the run directory"):
        create("slug", tmp_path / "file" / "below")
