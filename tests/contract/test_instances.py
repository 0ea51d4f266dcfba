"""The corpus of wrong patches, and where the benchmark finds repositories; both with real git."""

import ast
import json
import subprocess
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from unidiff.patch import PatchSet

from tests.bench.swebench.rows import Rows
from tests.corpora.instances.damage import KINDS, Reference, cases, without_hunk
from tests.unit.conftest import MakeRepository, Repository

MODULE = '''\
"""Sums."""


def total(numbers):
    """All of them."""
    found = 0
    for number in numbers[1:]:
        found += number
    return found


def mean(numbers):
    return total(numbers) / len(numbers)


def most(numbers):
    return max(numbers[1:])
'''
FILES = {"src/sums/__init__.py": "from sums.adding import total\n", "src/sums/adding.py": MODULE}


@pytest.fixture(scope="module")
def repository(new_repository: MakeRepository) -> Repository:
    made = new_repository("sums")
    made.commit(FILES)
    made.commit({"src/sums/adding.py": MODULE.replace("numbers[1:]", "numbers")})
    return made


@pytest.fixture(scope="module")
def reference(repository: Repository) -> Reference:
    def read(path: str) -> bytes | None:
        return FILES[path].encode() if path in FILES else None

    patch = repository.git("diff", *repository.commits) + "\n"
    return Reference("a__sums-1", patch, ("t.py::test_total", "t.py::test_mean"), read)


def applied(repository: Repository, patch: str, place: Path) -> subprocess.CompletedProcess[bytes]:
    """The base with a patch, in a directory of its own."""
    place.mkdir()
    archive = subprocess.run(
        ("git", "archive", repository.commits[0]), cwd=repository.path, capture_output=True,
        check=True,
    )  # fmt: skip
    subprocess.run(("tar", "-x", "-C", str(place)), input=archive.stdout, check=True)
    argv = ("git", "apply", "-")
    return subprocess.run(argv, cwd=place, input=patch.encode(), capture_output=True, check=False)


def test_every_kind_has_its_patches_and_they_are_always_the_same(reference: Reference) -> None:
    others = [replace(reference, instance_id=f"a__sums-{n}") for n in range(2, 9)]
    found = cases([reference, *others])
    assert [case.kind for case in found] == [kind for kind in KINDS for _ in range(4)]
    assert found == cases([*others, reference])
    assert len({case.patch for case in found}) > len(KINDS)
    assert reference.patch not in {case.patch for case in found}


@pytest.mark.parametrize("variant", range(4))
def test_what_must_not_apply_does_not(
    repository: Repository, reference: Reference, tmp_path: Path, variant: int
) -> None:
    patch = KINDS["does not apply"](reference, variant)
    assert patch
    assert applied(repository, patch, tmp_path / "tree").returncode != 0


@pytest.mark.parametrize("variant", range(4))
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "does not apply"])
def test_every_other_kind_applies_and_is_python_unless_it_must_not_be(
    repository: Repository, reference: Reference, tmp_path: Path, kind: str, variant: int
) -> None:
    patch = KINDS[kind](reference, variant)
    assert patch
    tree = tmp_path / "tree"
    done = applied(repository, patch, tree)
    assert done.returncode == 0, done.stderr
    broken = []
    for path in sorted(tree.rglob("*.py")):
        try:
            ast.parse(path.read_text(encoding="utf-8"))
        except SyntaxError:
            broken.append(path.name)
    assert broken == (["__init__.py"] if kind == "unstartable" and variant % 2 == 0 else [])


def test_functions_begin_by_raising(
    repository: Repository, reference: Reference, tmp_path: Path
) -> None:
    """The one in the middle, or every second one."""
    for variant, expected in ((0, ["mean"]), (1, ["total", "most"])):
        tree = tmp_path / str(variant)
        applied(repository, KINDS["broken"](reference, variant) or "", tree)
        module = ast.parse((tree / "src/sums/adding.py").read_text(encoding="utf-8"))
        functions = [node for node in module.body if isinstance(node, ast.FunctionDef)]
        raising = [
            function.name
            for function in functions
            if any(isinstance(line, ast.Raise) for line in function.body[:2])
        ]
        assert raising == expected


def test_one_of_several_tests_fails(
    repository: Repository, reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variant, failing in ((0, "test_total"), (1, "test_mean")):
        tree = tmp_path / str(variant)
        applied(repository, KINDS["partial"](reference, variant) or "", tree)
        module: dict[str, Any] = {}
        exec((tree / "src/sums/adding.py").read_text(encoding="utf-8"), module)
        for name in ("test_total", "test_mean"):
            monkeypatch.setenv("PYTEST_CURRENT_TEST", f"t.py::{name} (call)")
            with pytest.raises(RuntimeError) if name == failing else nullcontext():
                assert module["mean"]([1, 2, 3]) == 2
    for ids in (("t.py::test_total",), ("test_a (t.T)", "test_b (t.T)")):
        assert KINDS["partial"](replace(reference, fail_to_pass=ids), 0) is None


def test_one_hunk_alone_is_dropped(reference: Reference) -> None:
    kept = PatchSet(without_hunk(reference.patch, 0))
    assert sum(len(file) for file in kept) == sum(len(f) for f in PatchSet(reference.patch)) - 1
    assert "max(numbers)" in str(kept)


@pytest.mark.parametrize("name", ["own__sums", "own+sums/repo", "own/sums.git", "other__sums"])
def test_repositories_are_found_under_the_names_people_keep_them_by(
    repository: Repository, tmp_path: Path, name: str
) -> None:
    """A fork stands in where it has the commit."""
    place = tmp_path / "mirrors" / name
    repository.git("clone", "-q", "--bare", ".", str(place))
    rows = Rows.read(write_row(repository, tmp_path), tmp_path / "mirrors")
    assert rows.repositories == {"own/sums": place}
    rows.write_git_config(tmp_path / "config")
    there = (tmp_path / "config").read_text(encoding="utf-8")
    assert f'[url "{place}"]' in there
    assert "insteadOf = https://github.com/own/sums" in there


def test_repository_without_the_commit_is_none(repository: Repository, tmp_path: Path) -> None:
    place = Repository(tmp_path / "mirrors" / "own__sums")
    place.path.mkdir(parents=True)
    place.git("init", "-q")
    place.commit({"a": "b"})
    with pytest.raises(click.UsageError, match="own/sums"):
        Rows.read(write_row(repository, tmp_path), tmp_path / "mirrors")


def write_row(repository: Repository, directory: Path) -> Path:
    row = {
        "instance_id": "own__sums-1", "repo": "own/sums", "base_commit": repository.commits[0],
        "patch": "p", "test_patch": "t", "problem_statement": "", "version": "1", "image": "i",
        "created_at": "2024-01-01T00:00:00Z", "FAIL_TO_PASS": ["t::a"], "PASS_TO_PASS": [],
        "eval_script": "s", "log_parser": "parse_log_pytest", "eval_type": "pass_and_fail",
    }  # fmt: skip
    path = directory / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    return path
