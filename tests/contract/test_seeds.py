"""The seed tasks fit the repositories they name, with git alone: no container, no network."""

import ast
import json
import os
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field
from unidiff.patch import PatchSet

SEEDS = Path(__file__).parents[2] / "seeds"
ROWS_FILE = SEEDS / "seed_tasks.jsonl"
STREAM_SUFFIX = ".fast-import"


class SeedRow(BaseModel):
    """A line of `seed_tasks.jsonl`; more is given here than a task row must have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_id: str = Field(pattern=r"^[a-z]+__[a-z0-9-]+$")
    repo: str
    ref: str = Field(pattern=r"^[0-9a-f]{40}$")
    problem_statement: str = Field(min_length=200)
    created_at: str = Field(pattern=r"Z$")
    python: str | None = None
    pytest_k: str | None = None
    test_paths: tuple[str, ...] = ()
    patch: str = Field(min_length=1)
    test_patch: str
    fail_to_pass: tuple[str, ...] = Field(alias="FAIL_TO_PASS", min_length=1)
    pass_to_pass: tuple[str, ...] = Field(alias="PASS_TO_PASS", min_length=1)
    category: str
    difficulty: str = Field(pattern=r"^(easy|medium|hard)$")

    @property
    def test_ids(self) -> tuple[str, ...]:
        return self.fail_to_pass + self.pass_to_pass


@dataclass(frozen=True)
class Mirror:
    """A bare repository built from a stream, asked with a git that knows no configuration."""

    path: Path

    def git(self, *arguments: str, stdin: str | None = None, index: Path | None = None) -> str:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.path.parent)}
        env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
        if index is not None:
            env["GIT_INDEX_FILE"] = str(index)
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=env, input=stdin, capture_output=True, text=True
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.rstrip("\n")

    def lines(self, *arguments: str) -> list[str]:
        return self.git(*arguments).splitlines()

    def fix_of(self, row: SeedRow) -> str:
        """The commit on main that follows the task's base."""
        return self.lines("rev-list", "--reverse", "--ancestry-path", f"{row.ref}..main")[0]

    def functions(self, revision: str, path: str) -> set[str]:
        """The test functions of a file of that commit, methods as `Class::name`."""
        names: set[str] = set()
        for node in ast.parse(self.git("show", f"{revision}:{path}")).body:
            if isinstance(node, ast.ClassDef):
                inner = (n.name for n in node.body if isinstance(n, ast.FunctionDef))
                names |= {f"{node.name}::{name}" for name in inner}
            elif isinstance(node, ast.FunctionDef):
                names.add(node.name)
        return names


ROWS = tuple(
    SeedRow.model_validate_json(line) for line in ROWS_FILE.read_text("utf-8").splitlines()
)
OFFLINE = tuple(row for row in ROWS if row.repo.endswith(STREAM_SUFFIX))
PUBLIC = tuple(row for row in ROWS if not row.repo.endswith(STREAM_SUFFIX))
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.task_id)
each_offline = pytest.mark.parametrize("row", OFFLINE, ids=lambda row: row.task_id)


@pytest.fixture(scope="module")
def mirrors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Mirror]:
    """Every stream of `seeds/repos`, built, by the path that a row gives."""
    root = tmp_path_factory.mktemp("seeds")
    built: dict[str, Mirror] = {}
    for stream in sorted((SEEDS / "repos").iterdir()):
        mirror = Mirror(root / f"{stream.stem}.git")
        mirror.path.mkdir()
        mirror.git("init", "--quiet", "--bare", "--initial-branch=main")
        mirror.git("fast-import", "--quiet", stdin=stream.read_text("utf-8"))
        built[f"repos/{stream.name}"] = mirror
    return built


@pytest.fixture
def mirror(row: SeedRow, mirrors: dict[str, Mirror]) -> Mirror:
    return mirrors[row.repo]


def split_id(test_id: str) -> tuple[str, str]:
    path, _, name = test_id.partition("::")
    return path, name.partition("[")[0]


def touched(patch: str) -> set[str]:
    return {file.path for file in PatchSet(patch)}


def test_there_are_tasks_of_each_kind() -> None:
    hidden = [row for row in OFFLINE if row.test_patch]
    assert len(ROWS) == len({row.task_id for row in ROWS})
    assert len(OFFLINE) >= 6
    assert len(PUBLIC) >= 2
    assert len(hidden) >= 3
    assert len(OFFLINE) - len(hidden) >= 2


def test_every_stream_serves_a_task(mirrors: dict[str, Mirror]) -> None:
    assert {row.repo for row in OFFLINE} == set(mirrors)


def test_keys_stand_in_the_order_of_the_contract() -> None:
    order = [field.alias or name for name, field in SeedRow.model_fields.items()]
    for line in ROWS_FILE.read_text("utf-8").splitlines():
        keys = list(json.loads(line))
        assert keys == sorted(keys, key=order.index)


@each_row
def test_no_test_id_stands_twice_or_holds_white_space(row: SeedRow) -> None:
    assert len(set(row.test_ids)) == len(row.test_ids)
    assert not [test_id for test_id in row.test_ids if re.search(r"\s", test_id)]


@each_row
def test_patches_keep_to_their_side(row: SeedRow) -> None:
    assert not [path for path in touched(row.patch) if path.startswith("tests/")]
    assert all(path.startswith("tests/") for path in touched(row.test_patch))


@pytest.mark.parametrize("row", PUBLIC, ids=lambda row: row.task_id)
def test_public_tasks_are_hidden_ones_on_github(row: SeedRow) -> None:
    assert re.fullmatch(r"https://github\.com/[\w-]+/[\w-]+", row.repo)
    assert {split_id(test_id)[0] for test_id in row.test_ids} == touched(row.test_patch)


@each_offline
def test_base_is_an_ancestor_of_main_at_the_given_time(row: SeedRow, mirror: Mirror) -> None:
    mirror.git("merge-base", "--is-ancestor", row.ref, "main")
    when = datetime.fromtimestamp(int(mirror.git("log", "-1", "--format=%ct", row.ref)), UTC)
    assert row.created_at == when.strftime("%Y-%m-%dT%H:%M:%SZ")


@each_offline
def test_base_has_a_past(row: SeedRow, mirror: Mirror) -> None:
    assert int(mirror.git("rev-list", "--count", f"{row.ref}~1")) >= 5
    assert mirror.lines("tag", "--merged", row.ref)


@each_offline
def test_base_has_a_future_that_must_be_stripped(row: SeedRow, mirror: Mirror) -> None:
    assert len(mirror.lines("rev-list", f"{row.ref}..main")) >= 3
    later = set(mirror.lines("tag", "--contains", row.ref))
    assert later - set(mirror.lines("tag", "--points-at", row.ref))
    branches = mirror.lines("branch", "--contains", row.ref, "--format=%(refname:short)")
    assert set(branches) == {"main", "next"}
    assert len(mirror.lines("rev-list", "main..next")) >= 2


@each_offline
def test_patches_on_the_base_give_the_fix(row: SeedRow, mirror: Mirror, tmp_path: Path) -> None:
    index = tmp_path / "index"
    mirror.git("read-tree", row.ref, index=index)
    for patch in filter(None, (row.patch, row.test_patch)):
        mirror.git("apply", "--cached", stdin=patch, index=index)
    assert mirror.git("write-tree", index=index) == mirror.git(
        "rev-parse", f"{mirror.fix_of(row)}^{{tree}}"
    )


@each_offline
def test_ids_name_test_functions(row: SeedRow, mirror: Mirror) -> None:
    named = {split_id(test_id) for test_id in row.test_ids}
    for path in {path for path, _ in named}:
        there = mirror.functions(mirror.fix_of(row), path)
        assert {name for named_path, name in named if named_path == path} <= there


@each_offline
def test_failing_tests_are_visible_or_come_with_the_test_patch(
    row: SeedRow, mirror: Mirror
) -> None:
    for path, name in map(split_id, row.fail_to_pass):
        if row.test_patch:
            assert name not in mirror.functions(row.ref, path)
            assert path in touched(row.test_patch)
        else:
            assert name in mirror.functions(row.ref, path)


@each_offline
def test_ids_lie_in_the_selection_of_the_row(row: SeedRow) -> None:
    if row.test_paths:
        assert {split_id(test_id)[0] for test_id in row.test_ids} <= set(row.test_paths)
    if row.pytest_k:
        words = row.pytest_k.split(" or ")
        assert all(any(word in test_id for word in words) for test_id in row.test_ids)
