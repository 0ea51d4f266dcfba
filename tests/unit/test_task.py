"""Rows of a tasks file and where their repositories lie."""

import json
from pathlib import Path

import pytest

from agent_runner.errors import UsageError
from agent_runner.task import Task, find_task, is_url, load_tasks, locate

SHORT = {"task_id": "a", "repo": "r", "ref": "v1", "pytest_k": "not slow"}


def tasks_file(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "tasks.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_short_form_is_enough() -> None:
    task = Task.model_validate(SHORT)
    assert (task.task_id, task.repo, task.ref, task.pytest_k) == ("a", "r", "v1", "not slow")
    assert task.FAIL_TO_PASS == ()
    assert not task.tests_are_hidden
    assert task.test_files == ()


@pytest.mark.parametrize("ids", [["t.py::a", "t.py::b[x y]"], '["t.py::a", "t.py::b[x y]"]'])
def test_ids_are_a_list_or_that_list_as_json(ids: object) -> None:
    task = Task.model_validate(SHORT | {"FAIL_TO_PASS": ids})
    assert task.FAIL_TO_PASS == ("t.py::a", "t.py::b[x y]")


def test_test_files_are_those_the_ids_name_else_the_paths() -> None:
    ids = {"FAIL_TO_PASS": ["b.py::t"], "PASS_TO_PASS": ["a.py::C::t", "b.py::u"]}
    assert Task.model_validate(SHORT | ids | {"test_paths": ["c.py"]}).test_files == (
        "a.py",
        "b.py",
    )
    assert Task.model_validate(SHORT | {"test_paths": ["c.py"]}).test_files == ("c.py",)


def test_tests_are_hidden_when_they_come_with_a_patch() -> None:
    assert Task.model_validate(SHORT | {"test_patch": "diff"}).tests_are_hidden


@pytest.mark.parametrize(
    ("task_id", "slug"),
    [
        ("django__django-11001", "django__django-11001"),
        ("a/b: c", "a-b-c"),
        ("../../etc", "etc"),
        ("...", "task"),
        ("x" * 200, "x" * 80),
    ],
)
def test_a_slug_is_a_file_name(task_id: str, slug: str) -> None:
    assert Task.model_validate(SHORT | {"task_id": task_id}).slug == slug


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"task_id": "b", ', "line 3: no JSON"),
        ("[1]", "line 3: a task is a JSON object"),
        (json.dumps(SHORT | {"task_id": "b", "pytestk": "x"}), "unknown key 'pytestk'.*pytest_k"),
        (json.dumps({"task_id": "b"}), "line 3: repo: Field required"),
        (json.dumps(SHORT | {"task_id": ""}), "line 3: task_id"),
        (json.dumps(SHORT | {"task_id": "b", "FAIL_TO_PASS": "[1"}), "line 3: FAIL_TO_PASS"),
        (json.dumps(SHORT | {"task_id": "b", "PASS_TO_PASS": ["x"]}), "without FAIL_TO_PASS"),
        (json.dumps(SHORT | {"task_id": "b", "python": "2"}), "line 3: python"),
        (json.dumps(SHORT), "line 3: task_id a is there twice"),
    ],
)
def test_a_wrong_line_is_named_by_its_number(tmp_path: Path, line: str, said: str) -> None:
    path = tasks_file(tmp_path, json.dumps(SHORT), "", line)
    with pytest.raises(UsageError, match=said) as caught:
        load_tasks(path)
    assert str(path) in str(caught.value)


def test_a_line_ends_where_json_says_and_nowhere_else(tmp_path: Path) -> None:
    statement = "one\u2028two\x85three"
    line = json.dumps(SHORT | {"problem_statement": statement}, ensure_ascii=False)
    (task,) = load_tasks(tasks_file(tmp_path, line))
    assert task.problem_statement == statement


@pytest.mark.parametrize("name", ["none.jsonl", "."])
def test_a_tasks_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot read the tasks file"):
        load_tasks(tmp_path / name)


def test_an_unknown_id_comes_with_the_nearest_ones(tmp_path: Path) -> None:
    rows = [json.dumps(SHORT | {"task_id": f"spanset__{name}"}) for name in ("merge", "wrap")]
    path = tasks_file(tmp_path, *rows)
    assert find_task(path, "spanset__wrap").task_id == "spanset__wrap"
    with pytest.raises(UsageError, match="no task 'spanset__merg'; did you mean spanset__merge"):
        find_task(path, "spanset__merg")
    with pytest.raises(UsageError, match="it has spanset__merge, spanset__wrap"):
        find_task(path, "QQQ")


def test_paths_are_relative_to_the_tasks_file(tmp_path: Path) -> None:
    (tmp_path / "repos" / "work" / ".git").mkdir(parents=True)
    (tmp_path / "repos" / "bare.git" / "objects").mkdir(parents=True)
    (tmp_path / "repos" / "seed.fast-import").touch()
    for name in ("work", "bare.git", "seed.fast-import"):
        task = Task.model_validate(SHORT | {"repo": f"repos/{name}"})
        assert locate(task, tmp_path).source == str(tmp_path / "repos" / name)
    absolute = Task.model_validate(SHORT | {"repo": str(tmp_path / "repos" / "work")})
    assert locate(absolute, Path("/")).source == str(tmp_path / "repos" / "work")


@pytest.mark.parametrize("repo", ["absent", "empty", "absent.fast-import", "a.txt"])
def test_a_path_without_a_repository_is_refused(tmp_path: Path, repo: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").touch()
    with pytest.raises(UsageError, match=f"{repo} is no repository"):
        locate(Task.model_validate(SHORT | {"repo": repo}), tmp_path)


@pytest.mark.parametrize(
    "url",
    ["https://host/a/b", "ssh://git@host/a", "git@host:a/b.git", "host:a", "file:///a"],
)
def test_addresses_are_left_as_they_are(tmp_path: Path, url: str) -> None:
    assert is_url(url)
    assert locate(Task.model_validate(SHORT | {"repo": url}), tmp_path).source == url


@pytest.mark.parametrize("path", ["repos/a", "./host:a", "/abs/a:b", "~/a"])
def test_paths_are_no_addresses(path: str) -> None:
    assert not is_url(path)
