"""Git repositories made on the spot, with fixed dates and without anybody's configuration."""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

EPOCH_S = 1_700_000_000


@dataclass
class Repository:
    """A repository in a temporary directory; each commit is a day later than the one before."""

    path: Path
    commits: list[str] = field(default_factory=list)

    def git(self, *arguments: str, stdin: str | None = None) -> str:
        """Runs git there and returns what it says."""
        when = f"{EPOCH_S + 86_400 * len(self.commits)} +0000"
        env = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{who}_NAME": "A" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "a@b" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_DATE": when for who in ("AUTHOR", "COMMITTER")},
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=env, input=stdin, capture_output=True, text=True
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str], message: str = "change") -> str:
        """Writes files and commits everything; returns the commit's id."""
        for name, text in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.commits.append(self.git("rev-parse", "HEAD"))
        return self.commits[-1]


MakeRepository = Callable[[str], Repository]


@pytest.fixture(scope="session")
def new_repository(tmp_path_factory: pytest.TempPathFactory) -> MakeRepository:
    """Makes empty repositories, each in a directory of its own."""

    def make(name: str) -> Repository:
        made = Repository(tmp_path_factory.mktemp(name))
        made.git("init", "-q", "-b", "main")
        return made

    return make


@pytest.fixture
def no_git_config(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs git in the test reads nobody's configuration either."""
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
