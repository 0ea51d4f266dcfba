"""A batch that is over, as the product leaves it: made by its own code, without running it."""

import json
import random
from pathlib import Path

from agent_runner.batch.begin import begin
from agent_runner.batch.plan import Plan, Planned
from agent_runner.batch.settings import BatchConfig
from agent_runner.result import (
    Controls,
    Grade,
    IsolationEvidence,
    NetworkEvidence,
    Provenance,
    Result,
    Status,
    Termination,
    TestList,
    ToolUse,
    Usage,
)
from agent_runner.run_dir import create

FAILING, PASSING = 3, (60, 150)
TAIL_CHARS = 2_000
STAGES = {
    "image": 0.05, "mirror": 0.02, "workspace": 0.4, "agent": 301.7, "collect": 0.1, "grade": 9.3,
    "model_wait": 244.0, "throttle_wait": 3.1, "tools": 51.2,
}  # fmt: skip


def write_finished(place: Path, tasks: int, attempts: int) -> Path:
    """The directory of a batch with a result of every episode."""
    place.mkdir()
    rows = place / "tasks.jsonl"
    rows.write_text("".join(f"{json.dumps(_row(n))}\n" for n in range(tasks)), encoding="utf-8")
    config = BatchConfig.model_validate(
        {
            "tasks": {"source": {"type": "file", "path": str(rows)}},
            "model": "fake",
            "base_url": "http://127.0.0.1:9/v1",
            "attempts": attempts,
        }
    )
    plan = begin(config, "finished", place / "batch")
    draw = random.Random(0)
    lines = [_ended(plan, planned, draw) for planned in plan.episodes]
    (plan.directory.path / "results.jsonl").write_bytes(b"".join(lines))
    return plan.directory.path


def _ended(plan: Plan, planned: Planned, draw: random.Random) -> bytes:
    """Its directory and its line."""
    directory = create("", plan.directory.episode(planned.name))
    directory.write("patch.diff", b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-one\n+two\n" * 30)
    result = _result(planned, draw)
    directory.finish(result)
    return plan.entry(planned, 1, result).model_dump_json().encode() + b"\n"


def _row(number: int) -> dict[str, object]:
    return {
        "task_id": f"owner__project-{number:05d}",
        "repo": "https://example.org/owner/project",
        "ref": "main",
        "problem_statement": "A sum forgets its first number. " * 60,
        "test_patch": "--- a/t.py\n+++ b/t.py\n@@ -1 +1 @@\n-one\n+two\n",
        "FAIL_TO_PASS": _ids(FAILING, "broken"),
        "PASS_TO_PASS": _ids(PASSING[0], "kept"),
        "category": ("numbers", "dates", "text")[number % 3],
    }


def _ids(count: int, word: str) -> list[str]:
    return [f"tests/unit/test_module_{n % 7}.py::test_{word}_behaviour[{n}]" for n in range(count)]


def _result(planned: Planned, draw: random.Random) -> Result:
    task, resolved = planned.line.task, draw.random() < 0.4
    failing, passing = _ids(FAILING, "broken"), _ids(draw.randint(*PASSING), "kept")
    fixed = TestList(success=failing) if resolved else TestList(failure=failing)
    return Result(
        task_id=task.task_id,
        repo=task.repo,
        ref=task.ref,
        pytest_k="",
        status=Status.RESOLVED if resolved else Status.UNRESOLVED,
        duration_s=round(draw.uniform(60, 900), 3),
        tail="tests/unit/test_module_1.py::test_kept_behaviour PASSED\n" * (TAIL_CHARS // 56),
        termination=Termination.SUBMITTED if resolved else Termination.MAX_TURNS,
        grade=Grade(
            resolved=resolved,
            official=resolved,
            suspect=False,
            patch_applied=True,
            FAIL_TO_PASS=fixed,
            PASS_TO_PASS=TestList(success=passing),
            exit_code=int(not resolved),
            network="closed",
            controls=Controls(gold="passed", empty="passed"),
        ),
        error=None,
        turns=draw.randint(5, 50),
        usage=Usage(
            prompt_tokens=draw.randint(50_000, 900_000),
            completion_tokens=draw.randint(1_000, 20_000),
            calls=30,
            cost_usd=round(draw.uniform(0.05, 0.9), 6),
        ),
        stages=STAGES,
        repairs={"unclosed_call": 2},
        isolation=IsolationEvidence(
            commits_after_base=0,
            unreachable_objects=0,
            foreign_git_stores=(),
            network=NetworkEvidence(dns="closed", tcp="closed", udp="closed"),
            hidden_tests_present=False,
            fresh_grader=True,
        ),
        patch_sha256="0" * 64,
        provenance=Provenance(
            agent_runner="0.1.0",
            solver="agent",
            base_commit="0" * 40,
            layer_key="instance-0123456789abcdef",
            image_digest=f"sha256:{'0' * 64}",
            prompt_sha256="0" * 64,
            model_asked="fake",
            model_answered="fake",
        ),
        tool_use=ToolUse(calls={"docker_sh": 20, "swe_pytest": 6}, failed=3, refused_patches=1),
    )
