"""The direct run: any repository, a patch, tails before and after; and a kept workspace."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Cli, environment, ours

pytestmark = pytest.mark.e2e

CODE = "def double(number):\n    return number + 2\n"
TEST = "from lib import double\n\n\ndef test_double():\n    assert double(3) == 6\n"
FIX = (
    "--- a/lib.py\n+++ b/lib.py\n@@ -1,2 +1,2 @@\n def double(number):\n"
    "-    return number + 2\n+    return number * 2\n"
)


def git(where: Path, *args: str) -> None:
    """Git with an author."""
    names = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *names, *args], cwd=where, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of somebody's own, without packaging."""
    where = tmp_path / "own"
    where.mkdir()
    git(where, "init", "-q", "-b", "trunk")
    (where / "lib.py").write_text(CODE)
    (where / "test_lib.py").write_text(TEST)
    git(where, "add", ".")
    git(where, "commit", "-qm", "broken")
    (tmp_path / "fix.diff").write_text(FIX)
    return where


def test_a_patch_that_mends_the_tests_is_resolved(
    cli: Cli, repository: Path, tmp_path: Path
) -> None:
    ran = cli("--repo", str(repository), "--ref", "trunk", "--patch", str(tmp_path / "fix.diff"))
    assert ran.exit_code == 0, ran.stderr
    result = ran.result
    assert result["status"] == "resolved"
    assert result["ref"] == "trunk"
    assert "1 failed" in (ran.out / "tail_before.txt").read_text()
    assert "1 passed" in (ran.out / "tail_after.txt").read_text()
    assert "return number * 2" in (ran.out / "patch.diff").read_text()
    stages = {"clone", "install", "tests_before", "tests_after", "collect", "grade"}
    assert stages <= set(result["stages"])


def test_without_a_patch_it_shows_the_tests_as_they_are(cli: Cli, repository: Path) -> None:
    ran = cli("--repo", str(repository))
    assert (ran.exit_code, ran.result["status"]) == (1, "unresolved")
    assert "1 failed" in ran.result["tail"]


def test_a_patch_that_does_not_fit_changes_nothing(
    cli: Cli, repository: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.diff"
    wrong.write_text(FIX.replace("number + 2", "number + 3"))
    ran = cli("--repo", str(repository), "--patch", str(wrong))
    assert ran.exit_code == 1
    assert "was not applied" in ran.stderr
    assert (ran.out / "patch.diff").read_bytes() == b""


def test_a_ref_that_does_not_exist_is_the_users_mistake(cli: Cli, repository: Path) -> None:
    ran = cli("--repo", str(repository), "--ref", "nowhere")
    assert ran.exit_code == 2
    assert ran.stderr.splitlines()[-1].startswith("agent_runner: ")
    assert "no ref 'nowhere'" in ran.stderr
    assert not ran.out.exists()


def test_a_kept_workspace_can_be_entered_and_is_removed_by_clean(
    cli: Cli, repository: Path, home: Path, tmp_path: Path
) -> None:
    ran = cli("--repo", str(repository), "--patch", str(tmp_path / "fix.diff"), "--keep")
    try:
        shell = [sys.executable, "-m", "agent_runner", "shell", str(ran.out), "cat", "lib.py"]
        done = subprocess.run(
            shell, cwd=ROOT, env=environment(home), capture_output=True, text=True, check=False
        )
        assert "number * 2" in done.stdout, done.stderr
        assert len(ours(ran.out)) == 1
    finally:
        clean = [sys.executable, "-m", "agent_runner", "clean", str(ran.out)]
        subprocess.run(clean, cwd=ROOT, env=environment(home), check=True, capture_output=True)
    assert ours(ran.out) == []
