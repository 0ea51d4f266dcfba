"""A diff that git made applies to the tree it was made from, to exactly the tree git gives."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.patching import candidate_paths, parse, plan
from tools.patching.directory import carry_out, read_tree

Tree = dict[str, tuple[bytes, bool]]

PATHS = [
    "a/x.py",
    "b/x.py",
    "x.py",
    "d/e/f.txt",
    "d/g.txt",
    "sp ace.md",
    "é.txt",
    'q"t\t.c',
    "zz/a/b",
]
LINES = [
    *(
        b"",
        b"    ",
        b"one",
        b"two  ",
        b"    return x",
        b"def f(x):",
        b"crlf\r",
        b"\xe9 latin",
        b"}",
    ),
    *(
        b"-- a/x.py",
        b"++ b/x.py",
        b"@@ -1,2 +1,2 @@",
        b"diff --git a/x.py b/x.py",
        b"-- ",
        b"2.39.5",
    ),
    *(b"\\ No newline at end of file", b"```", b"*** Update File: x.py", b"--- a/x.py", b"x\fy"),
]
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def contents() -> st.SearchStrategy[bytes]:
    lines = st.lists(st.sampled_from(LINES), max_size=25)
    ends = st.sampled_from([b"\n", b""])
    return st.builds(lambda body, end: b"\n".join(body) + (end if body else b""), lines, ends)


@st.composite
def edited(draw: st.DrawFn, before: bytes) -> bytes:
    lines = before.split(b"\n")
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines)))
        gone = draw(st.integers(0, 2))
        lines[at : at + gone] = draw(st.lists(st.sampled_from(LINES), max_size=2))
    return b"\n".join(lines)


@st.composite
def edits(draw: st.DrawFn) -> tuple[Tree, Tree]:
    files = st.tuples(contents(), st.booleans())
    old: Tree = draw(st.dictionaries(st.sampled_from(PATHS), files, min_size=1, max_size=4))
    new = dict(old)
    for path, (data, executable) in old.items():
        what = draw(st.sampled_from(["keep", "edit", "edit", "delete", "rename", "mode"]))
        free = [one for one in PATHS if one not in new]
        if what == "edit":
            new[path] = (draw(edited(data)), executable)
        elif what == "mode":
            new[path] = (data, not executable)
        elif what == "delete":
            del new[path]
        elif what == "rename" and free:
            del new[path]
            kept = draw(st.sampled_from([data, draw(edited(data))]))
            new[draw(st.sampled_from(free))] = (kept, executable)
    free = [one for one in PATHS if one not in new and one not in old]
    if free and draw(st.booleans()):
        new[draw(st.sampled_from(free))] = draw(files)
    return old, new


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    git(root, "init", "-q", ".")
    return root


def git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(
        ["git", *arguments], cwd=root, input=given, capture_output=True, check=True, env=ENVIRONMENT
    )
    return done.stdout


def fill(root: Path, tree: Tree) -> None:
    root.mkdir()
    for path, (data, executable) in tree.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(0o755 if executable else 0o644)


def found(root: Path) -> Tree:
    return {
        str(place.relative_to(root)): (place.read_bytes(), bool(place.stat().st_mode & 0o100))
        for place in root.rglob("*")
        if place.is_file()
    }


def diff(repository: Path, old: Path, new: Path) -> bytes:
    trees = []
    for root in (old, new):
        git(repository, f"--work-tree={root}", "add", "-A", "-f", ".")
        trees.append(git(repository, "write-tree").decode().strip())
    return git(repository, "diff", "-M40%", *trees)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(trees=edits())
def test_diff_made_by_git_gives_the_tree_that_git_gives(
    trees: tuple[Tree, Tree], repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("trees")
    for name, tree in zip(("old", "new", "git"), (trees[0], trees[1], trees[0]), strict=True):
        fill(root / name, tree)
    patch = diff(repository, root / "old", root / "new")
    if not patch:
        return
    changes = parse(patch)
    made = plan(changes, read_tree(root / "old", candidate_paths(changes)))
    carry_out(made, root / "old")
    git(root / "git", "apply", "--whitespace=nowarn", "-", given=patch)
    assert found(root / "old") == found(root / "git") == trees[1]
    assert {outcome.how for outcome in made.files} == {("exact",)}
