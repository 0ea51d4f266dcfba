"""What the provider brings about, to its end: an overflow is graded, a refusal is an error."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml

from tests.e2e.conftest import Cli, Ran
from tests.e2e.small_task import SmallTask

pytestmark = pytest.mark.e2e
PROGRAM = (sys.executable, "-m", "agent_runner.testing.endpoint")


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> SmallTask:
    return SmallTask.make(tmp_path_factory.mktemp("provider") / "small")


@contextmanager
def failing(task: SmallTask, fault: str, turn: int) -> Iterator[str]:
    """The shipped endpoint, which plays the task's script up to that turn."""
    faults = task.place / f"{fault}.yaml"
    faults.write_text(
        yaml.safe_dump({"schedule": [{"fault": fault, "turn": turn, "times": None}]}),
        encoding="utf-8",
    )
    argv = (*PROGRAM, "--script", str(task.place / "script.yaml"), "--faults", str(faults))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def ran(cli: Cli, task: SmallTask, url: str) -> Ran:
    agent = ("--solver", "agent", "--model", "scripted", "--base-url", url)
    return cli(*task.args(second=7)[:4], *agent)


def test_an_agent_whose_context_overflows_is_graded(cli: Cli, task: SmallTask) -> None:
    with failing(task, "overflow_moonshot", turn=6) as url:
        ended = ran(cli, task, url)
    result = ended.result
    assert (result["termination"], result["error"]) == ("context_overflow", None), ended.stderr
    assert (ended.exit_code, result["status"], result["turns"]) == (0, "resolved", 5)
    assert result["grade"]["resolved"] is True


def test_a_used_up_quota_is_an_error_that_says_until_when(cli: Cli, task: SmallTask) -> None:
    with failing(task, "402", turn=2) as url:
        ended = ran(cli, task, url)
    result = ended.result
    assert (ended.exit_code, result["status"], result["grade"]) == (3, "provider_error", None)
    error = result["error"]
    assert (error["kind"], error["retryable"]) == ("provider_quota", False)
    assert error["message"].startswith("402 Payment Required: Quota exceeded")
    assert "quota renewed at 2030-01-01T00:00:00Z" in error["message"]
    assert (result["termination"], result["turns"]) == (None, 1)
