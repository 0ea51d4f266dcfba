"""Results of a batch, made up; what a test does not name is as plain as can be."""

from datetime import UTC, datetime, timedelta

from agent_runner.batch.entry import Entry
from agent_runner.result import (
    ErrorInfo,
    ExploitHint,
    Grade,
    IsolationEvidence,
    Provenance,
    Status,
    TestList,
    Usage,
)

START = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
COUNTING = {Status.RESOLVED, Status.UNRESOLVED}


def entry(task: str = "task", attempt: int = 1, status: str = "resolved", **given: object) -> Entry:
    """One line of `results.jsonl`."""
    plain: dict[str, object] = {
        "task_id": task, "repo": "https://example.org/owner/name", "ref": "v1", "pytest_k": "",
        "status": Status(status), "duration_s": 60.0, "tail": "", "termination": None,
        "grade": grade(resolved=status == "resolved") if Status(status) in COUNTING else None,
        "error": None, "turns": 0, "usage": Usage(), "stages": {}, "repairs": {},
        "isolation": IsolationEvidence(), "patch_sha256": None,
        "provenance": Provenance(agent_runner="0.1.0", solver="agent"), "attempt": attempt,
        "tries": 1, "episode": f"{task}.{attempt}", "planned": 1, "directory": f"{task}.{attempt}",
        "category": "", "difficulty": "", "started_at": START,
        "ended_at": START + timedelta(minutes=1),
    }  # fmt: skip
    return Entry.model_validate(plain | given)


def grade(*, resolved: bool, **given: object) -> Grade:
    """A verdict."""
    plain: dict[str, object] = {
        "resolved": resolved, "official": resolved, "suspect": False, "patch_applied": True,
        "FAIL_TO_PASS": TestList(), "PASS_TO_PASS": TestList(), "exit_code": 0, "network": "closed",
    }  # fmt: skip
    return Grade.model_validate(plain | given)


def used(**given: object) -> Usage:
    """What an episode that asked its model ten times used."""
    plain = {"calls": 10, "prompt_tokens": 1000, "completion_tokens": 100, "cached_tokens": 500}
    return Usage.model_validate(plain | given)


def hinted(*kinds: str) -> IsolationEvidence:
    """Evidence that makes a verdict suspect."""
    hints = tuple(ExploitHint(kind=kind, turn=None, where="x.py") for kind in kinds)
    return IsolationEvidence(exploit_hints=hints)


def lost(kind: str = "container_lost", stage: str = "agent") -> ErrorInfo:
    """A fault of the world."""
    return ErrorInfo.model_validate(
        {"kind": kind, "stage": stage, "message": "it went away", "retryable": True}
    )


def of(*entries: Entry, planned: int | None = None) -> list[Entry]:
    """Results of one batch, which planned as many episodes or more."""
    count = len(entries) if planned is None else planned
    return [each.model_copy(update={"planned": count}) for each in entries]
