"""The world is not as it must be: exit 3, with a kind; never a verdict."""

from pathlib import Path

import pytest

from tests.e2e.conftest import DEMO, ROOT, Cli

pytestmark = pytest.mark.e2e

TASK = ("--task-id", "spanset__merge-nested", "--solver", "gold")


def test_no_engine(cli: Cli, tmp_path: Path) -> None:
    ran = cli("--config", str(DEMO), env={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert ran.exit_code == 3
    assert ran.result["status"] == "infra_error"
    assert ran.result["error"]["kind"] == "engine_unavailable"
    assert "docker/engine.sh" in ran.result["error"]["message"]


def other_date(tmp_path: Path) -> tuple[str, ...]:
    """The same task at a date of its own, so that its layers are not there."""
    rows = (ROOT / "seeds" / "seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    row = next(line for line in rows if "spanset__merge-nested" in line)
    row = row.replace('"repos/', f'"{ROOT}/seeds/repos/')
    row = row.replace('"created_at": "2', '"created_at": "2', 1)
    date = row.split('"created_at": "')[1][:20]
    # Tasks of one year share their environment: this one has a year of its own.
    row = row.replace(date, f"2023{date[4:]}")
    path = tmp_path / "tasks.jsonl"
    path.write_text(row + "\n", encoding="utf-8")
    return ("--tasks", str(path), *TASK)


def test_a_disk_that_is_too_small_is_said_with_the_arithmetic(cli: Cli, tmp_path: Path) -> None:
    ran = cli(*other_date(tmp_path), "--set", "images.min_free_mb=999999999")
    assert ran.exit_code == 3
    assert ran.result["error"]["kind"] == "host_disk_full"
    assert "999999999 MB are needed" in ran.result["error"]["message"]
    assert "MB free" in ran.result["error"]["message"]


def test_an_index_that_does_not_answer(cli: Cli, tmp_path: Path) -> None:
    ran = cli(*other_date(tmp_path), env={"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"})
    assert ran.exit_code == 3
    assert ran.result["error"]["kind"] == "index_unreachable"
    assert ran.result["grade"] is None


def test_a_mirror_that_cannot_be_filled(cli: Cli) -> None:
    ran = cli("--repo", "https://127.0.0.1:9/nobody/nothing")
    assert ran.exit_code == 3
    assert ran.result["error"]["kind"] == "mirror_failed"


def test_a_python_that_cannot_be_had(cli: Cli, tmp_path: Path) -> None:
    tasks = tmp_path / "tasks.jsonl"
    stream = ROOT / "seeds" / "repos" / "spanset.fast-import"
    row = f'{{"task_id": "t", "repo": "{stream}", "ref": "main", "python": "3.99"}}\n'
    tasks.write_text(row, encoding="utf-8")
    ran = cli("--tasks", str(tasks), "--task-id", "t", "--solver", "none")
    assert ran.exit_code == 3
    assert ran.result["error"]["kind"] == "image_unavailable"
