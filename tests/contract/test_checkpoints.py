"""A history is shared up to calendar dates: commits on the way to the base, never past it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.conftest import MakeRepository, Repository
from tools.workspace.repository import checkpoints as dated
from tools.workspace.repository.checkpoints import cuts
from tools.workspace.repository.mirrors import open_mirror


@pytest.fixture
def busy(
    new_repository: MakeRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Repository:
    """Commits of known dates; every history is long enough for layers of its own."""
    monkeypatch.setattr(dated, "WORTH_COMMITS", 1)
    return new_repository("busy")


def _commit_at(repository: Repository, date: str) -> str:
    repository.commit({"a.txt": date})
    env = {**os.environ, "GIT_COMMITTER_DATE": f"{date}T12:00:00Z"}
    who = ("-c", "user.name=A", "-c", "user.email=a@b")
    argv = ["git", *who, "commit", "-q", "--amend", "--no-edit", "--allow-empty"]
    subprocess.run(argv, cwd=repository.path, env=env, check=True)
    return repository.git("rev-parse", "HEAD")


async def test_checkpoints_are_the_last_commits_before_calendar_dates(
    busy: Repository, tmp_path: Path
) -> None:
    dates = "2018-05-01 2019-12-30 2020-01-02 2020-12-31 2021-01-01 2021-08-01"
    at = {date: _commit_at(busy, date) for date in dates.split()}
    mirror = await open_mirror(str(busy.path), "HEAD", tmp_path / "home", timeout_s=30)
    expected = (at["2019-12-30"], at["2020-12-31"])
    assert (await cuts(mirror, at["2021-08-01"])).shared == expected
    assert (await cuts(mirror, at["2021-01-01"])).shared == expected
    assert (await cuts(mirror, at["2020-12-31"])).shared == (at["2019-12-30"],)
    assert (await cuts(mirror, at["2019-12-30"])).shared == (at["2018-05-01"],)
    assert (await cuts(mirror, at["2018-05-01"])).shared == ()


async def test_a_checkpoint_is_an_ancestor_whatever_the_dates_say(
    busy: Repository, tmp_path: Path
) -> None:
    first = _commit_at(busy, "2019-01-01")
    base = _commit_at(busy, "2021-08-01")
    _commit_at(busy, "2019-06-01")  # later than the base, with a clock gone wrong
    mirror = await open_mirror(str(busy.path), "HEAD", tmp_path / "home", timeout_s=30)
    assert (await cuts(mirror, base)).shared == (first,)


async def test_a_short_history_is_not_worth_layers(
    new_repository: MakeRepository, tmp_path: Path
) -> None:
    repository = new_repository("short")
    for date in ("2019-01-01", "2021-01-01", "2021-08-01"):
        base = _commit_at(repository, date)
    mirror = await open_mirror(str(repository.path), "HEAD", tmp_path / "home", timeout_s=30)
    assert (await cuts(mirror, base)).shared == ()


async def test_what_is_recent_is_cut_at_its_half_year(
    busy: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dates = "2020-12-30 2020-12-31 2021-03-01 2021-06-30 2021-07-01 2021-08-01"
    at = {date: _commit_at(busy, date) for date in dates.split()}
    mirror = await open_mirror(str(busy.path), "HEAD", tmp_path / "home", timeout_s=30)

    async def recent(date: str) -> str:
        found = await cuts(mirror, at[date])
        assert found.last == (found.recent or "".join(found.shared))
        return found.recent

    assert await recent("2021-08-01") == at["2021-06-30"]
    assert await recent("2021-07-01") == at["2021-06-30"]
    assert await recent("2021-06-30") == "", "its half year is its year"
    monkeypatch.setattr(dated, "WORTH_COMMITS", 2)
    assert await recent("2021-08-01") == at["2021-06-30"]
    monkeypatch.setattr(dated, "WORTH_COMMITS", 3)
    assert await recent("2021-08-01") == "", "a short history"


async def test_two_commits_are_no_recent_layer(
    busy: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dates = "2020-10-01 2020-11-01 2020-12-31 2021-03-01 2021-06-30 2021-08-01"
    at = {date: _commit_at(busy, date) for date in dates.split()}
    mirror = await open_mirror(str(busy.path), "HEAD", tmp_path / "home", timeout_s=30)
    monkeypatch.setattr(dated, "WORTH_COMMITS", 3)
    found = await cuts(mirror, at["2021-08-01"])
    assert (found.shared, found.recent) == ((at["2020-12-31"],), "")
