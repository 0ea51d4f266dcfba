"""The rows to measure, and the directory their repositories come from."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from agent_runner.benchmarks.swebench.row import Row
from agent_runner.benchmarks.swebench.subset import Subset
from tests.corpora.instances.damage import Reference

DEPTH = 3


@dataclass(frozen=True)
class Rows:
    """A data set of 5.x rows whose repositories are in a directory.

    Attributes:
        repositories: each row's, by `owner/name`.
    """

    data: Path
    rows: tuple[Row, ...]
    repositories: Mapping[str, Path]

    @classmethod
    def read(cls, data: Path, mirrors: Path) -> "Rows":
        """Reads rows and finds their repositories.

        Raises:
            UsageError: the rows cannot be read.
            click.UsageError: a repository is missing.
        """
        rows = tuple(Subset(str(data)).rows())
        there = list(_repositories(mirrors, DEPTH))
        found = {}
        for row in rows:
            match = [path for path in there if _has(path, row)]
            match.sort(key=lambda path: _name(path) != row.repo)
            if not match:
                raise click.UsageError(f"{mirrors} has no {row.repo} with {row.base_commit}")
            found[row.repo] = match[0]
        return cls(data, rows, found)

    def write_git_config(self, path: Path) -> None:
        """Gives the repositories under the forge's addresses to whoever has this configuration."""
        parts = ["[safe]\n\tdirectory = *\n"]
        for repo, place in self.repositories.items():
            address = f"https://github.com/{repo}"
            parts.append(f'[url "{place.resolve()}"]\n\tinsteadOf = {address}\n')
        path.write_text("".join(parts), encoding="utf-8")

    def references(self) -> list[Reference]:
        """The rows' right patches, to make wrong ones from."""
        return [self._reference(row) for row in self.rows]

    def _reference(self, row: Row) -> Reference:
        repository = self.repositories[row.repo]

        def read(path: str) -> bytes | None:
            return _git(repository, "show", f"{row.base_commit}:{path}")

        return Reference(row.instance_id, row.patch, row.FAIL_TO_PASS, read)

    def write_data(self, path: Path, ids: Sequence[str]) -> Path:
        """A data set of some of the rows, columns untouched."""
        lines = [json.loads(line) for line in self.data.read_text("utf-8").split("\n") if line]
        kept = [line for line in lines if line["instance_id"] in set(ids)]
        path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        return path


def _repositories(place: Path, depth: int) -> Iterator[Path]:
    """Bare repositories and clones, not looked for below one another."""
    if (place / "objects").is_dir() and (place / "HEAD").is_file():
        yield place
    elif (place / ".git").exists():
        yield place / ".git"
    elif depth:
        for child in sorted(path for path in place.iterdir() if path.is_dir()):
            yield from _repositories(child, depth - 1)


def _name(path: Path) -> str:
    """`owner/name` of `owner/name.git`, `owner__name` or `owner+name/repo`, as people keep them."""
    parts = [part for part in path.parts if part not in {".git", "repo", "repo.git"}]
    last = parts[-1].removesuffix(".git")
    pieces = re.split(r"__|\+", last, maxsplit=1)
    return "/".join(pieces) if len(pieces) == 2 else f"{parts[-2]}/{last}"


def _has(path: Path, row: Row) -> bool:
    same_name = _name(path).rpartition("/")[2].lower() == row.repo.rpartition("/")[2].lower()
    return same_name and _git(path, "cat-file", "-e", f"{row.base_commit}^{{commit}}") is not None


def _git(repository: Path, *arguments: str) -> bytes | None:
    argv = ("git", "-c", "safe.directory=*", "-C", str(repository), *arguments)
    done = subprocess.run(argv, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None
