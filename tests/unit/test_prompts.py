"""Prompts and the names they may use."""

import hashlib
from pathlib import Path

import pytest

from agent_runner.errors import UsageError
from agent_runner.prompts import render
from agent_runner.task import Task

OURS = Path(__file__).parents[2] / "configs" / "prompts" / "agent.md"
TASK = Task(task_id="a", repo="r", problem_statement="It {{ breaks }}.", FAIL_TO_PASS=("t.py::x",))


def prompt(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prompt.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_both_parts_are_rendered(tmp_path: Path) -> None:
    path = prompt(tmp_path, "Work at {{ project }}.\n--- task ---\n{{ problem_statement }}\n")
    made = render(path, TASK)
    assert made.system == "Work at /workspace/project."
    assert made.task == "It {{ breaks }}."
    assert made.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ problem }}\n--- task ---\nx", "'problem' is undefined"),
        ("x\n--- task ---\n{% if nothing %}y{% endif %}", "'nothing' is undefined"),
        ("x\n--- task ---\n{{ problem_statement", "prompt.md"),
        ("x\n--- task ---\n{{ project.__class__.__mro__ }}", "prompt.md"),
        ("no separator", "lacks the line '--- task ---'"),
    ],
)
def test_a_prompt_that_does_not_render_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        render(prompt(tmp_path, text), TASK)


def test_an_absent_prompt_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the prompt .*none\.md"):
        render(tmp_path / "none.md", TASK)


def test_our_prompt_names_visible_tests_and_how_to_end() -> None:
    made = render(OURS, TASK)
    assert "- t.py::x" in made.task
    assert "TERMINATE" in made.system


def test_our_prompt_never_names_hidden_tests() -> None:
    hidden = TASK.model_copy(update={"test_patch": "diff", "PASS_TO_PASS": ("t.py::y",)})
    made = render(OURS, hidden)
    assert "t.py" not in made.system + made.task
    assert "not in the repository" in made.task


def test_a_row_without_a_statement_gets_one() -> None:
    made = render(OURS, Task(task_id="a", repo="the/repo"))
    assert made.task.startswith("Make the tests of the/repo pass.")
