"""What the world does to one grading: no verdict, nothing kept, and the others go on."""

import io
from pathlib import Path
from typing import cast

import pytest

from agent_runner.benchmarks.swebench.subset import Subset
from agent_runner.config import RunConfig
from agent_runner.errors import FaultKind, InfraFault, UsageError
from agent_runner.evaluation import one as grade_one
from agent_runner.evaluation.directory import open_grade_dir
from agent_runner.evaluation.one import TRIES, Bench
from agent_runner.evaluation.run import grade_all
from agent_runner.evaluation.view import GradeView
from agent_runner.evaluation.work import Work, bring_together
from agent_runner.grading.attempt import InvalidTask
from agent_runner.grading.network import OpenNetwork
from agent_runner.grading.verdict_cache import VerdictCache
from agent_runner.result import Status
from tests.unit.swebench.rows import numbered, write_lines
from tools.workspace.engine import Engine


class NoEngine:
    """Nothing gets as far as asking it."""


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return bring_together(Subset(write_lines(tmp_path / "set.jsonl", numbered(3))), "gold")


@pytest.fixture
def bench(work: Work, tmp_path: Path) -> Bench:
    return Bench(
        engine=cast(Engine, NoEngine()),
        config=RunConfig(),
        directory=open_grade_dir(tmp_path / "out", work.facts),
        home=tmp_path / "home",
        run="run",
        open_network=OpenNetwork({}, b""),
        verdicts=VerdictCache(tmp_path / "home" / "verdicts"),
        fresh=False,
    )


class Prepare:
    """Stands for `prepare`: raises what it is told to, in order."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self, *args: object, **more: object) -> None:
        self.calls += 1
        raise self.errors[min(self.calls, len(self.errors)) - 1]


LOST = InfraFault(FaultKind.CONTAINER_LOST, "gone", retryable=True)
FULL = InfraFault(FaultKind.HOST_DISK_FULL, "no room")


@pytest.mark.parametrize(
    ("errors", "calls", "status", "reason"),
    [
        ((LOST,), TRIES, Status.INFRA_ERROR, "container_lost: gone"),
        ((LOST, FULL), 2, Status.INFRA_ERROR, "host_disk_full: no room"),
        ((FULL,), 1, Status.INFRA_ERROR, "host_disk_full: no room"),
        ((InvalidTask("no such thing"),), 1, Status.INVALID_TASK, "no such thing"),
        ((UsageError("no ref x"),), 1, Status.INVALID_TASK, "no ref x"),
        (
            (ZeroDivisionError("a\nbug"),),
            1,
            Status.INFRA_ERROR,
            "internal: ZeroDivisionError: a bug",
        ),
    ],
)
async def test_a_failure_that_is_not_the_patchs_is_no_verdict(
    work: Work, bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    errors: tuple[Exception, ...], calls: int, status: Status, reason: str,
) -> None:  # fmt: skip
    prepare = Prepare(*errors)
    monkeypatch.setattr(grade_one, "prepare", prepare)
    monkeypatch.setattr(grade_one, "PAUSE_S", 0)
    log = io.StringIO()
    view = GradeView(total=1, stream=io.StringIO(), log=log)
    await grade_all(bench, work.items[:1], 1, view)
    outcome = bench.directory.outcome(work.items[0].row.instance_id)
    assert outcome is not None
    assert (outcome.status, outcome.reason, outcome.grade) == (status, reason, None)
    assert prepare.calls == calls
    assert not (tmp_path / "home" / "verdicts").exists()
    assert ("Traceback" in log.getvalue()) is reason.startswith("internal")
    kind = reason.partition(":")[0]
    assert (outcome.error.kind if outcome.error else None) == (
        kind if status is Status.INFRA_ERROR else None
    )


async def test_one_failure_stops_nobody_else(
    work: Work, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grade_one, "prepare", Prepare(FULL, InvalidTask("x"), FULL))
    await grade_all(bench, work.items, 2, GradeView(total=3, stream=io.StringIO()))
    found = [bench.directory.outcome(item.row.instance_id) for item in work.items]
    assert sorted(each.status for each in found if each) == [
        Status.INFRA_ERROR, Status.INFRA_ERROR, Status.INVALID_TASK,
    ]  # fmt: skip
