"""From a repository at a commit to an environment as of a date, with git alone."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from agent_runner.environments.plan import Planned, plan
from agent_runner.task import Task
from tools.workspace.environment import EnvironmentPlan
from tools.workspace.mirrors import open_mirror

pytestmark = pytest.mark.usefixtures("no_git_config")


class Repository(Protocol):
    path: Path
    commits: list[str]

    def commit(self, files: Mapping[str, str], message: str = "change") -> str: ...


New = Callable[[str], Repository]
TASK = Task(task_id="a", repo="r")
PYPROJECT = '[project]\nname = "thing"\n'


async def planned(repository: Repository, tmp_path: Path, task: Task = TASK) -> Planned:
    mirror = await open_mirror(str(repository.path), "main", tmp_path / "home", timeout_s=30)
    return await plan(mirror, repository.commits[-1], task, "3.10")


async def test_packaging_with_extras_needs_no_list(new_repository: New, tmp_path: Path) -> None:
    repository = new_repository("r")
    extras = f"{PYPROJECT}optional-dependencies = {{test = ['pytest'], docs = []}}\n"
    repository.commit({"pyproject.toml": extras, "requirements-test.txt": "pytest\n"})
    made = await planned(repository, tmp_path)
    environment = made.environment
    assert made.project == "thing"
    assert (environment.metadata_file, environment.extras) == ("pyproject.toml", ("test",))
    assert environment.requirement_files == ()
    assert environment.files == {"pyproject.toml": extras}
    assert environment.python == "3.10"


async def test_lists_and_all_they_include_determine_the_environment(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    files = {
        "setup.py": "setup(name='thing')",
        "requirements/test.txt": "-r base.txt\n--constraint=pins.txt\n-r ../more.txt\npytest\n",
        "requirements/base.txt": "numpy\n-r test.txt\n-r absent.txt\n",
        "requirements/pins.txt": "numpy<2\n",
        "more.txt": "pandas\n",
        "unrelated.txt": "x\n",
    }
    repository.commit(files)
    environment = (await planned(repository, tmp_path)).environment
    assert environment.requirement_files == ("requirements/test.txt",)
    del files["unrelated.txt"]
    assert environment.files == files
    before = environment.key("base")
    repository.commit({"unrelated.txt": "y\n"})
    dated = TASK.model_copy(update={"created_at": environment.as_of})
    assert (await planned(repository, tmp_path, dated)).environment.key("base") == before
    repository.commit({"more.txt": "pandas<2\n"})
    assert (await planned(repository, tmp_path, dated)).environment.key("base") != before


async def test_the_date_is_the_rows_else_the_commits(new_repository: New, tmp_path: Path) -> None:
    repository = new_repository("r")
    repository.commit({"a.py": ""})
    assert (await planned(repository, tmp_path)).environment.as_of == "2023-11-14T22:13:20Z"
    dated = TASK.model_copy(update={"created_at": "2024-05-06T00:00:00Z"})
    made = await planned(repository, tmp_path, dated)
    assert made.environment.as_of == "2024-05-06T00:00:00Z"
    assert "date 2024-05-06T00:00:00Z: created_at" in made.environment.reasons


async def test_a_repository_without_packaging_gets_all_its_lists(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    repository.commit({"requirements.txt": "numpy\n", "requirements-test.txt": "pytest\n"})
    made = await planned(repository, tmp_path)
    assert made.project == ""
    assert made.environment.metadata_file == ""
    assert set(made.environment.requirement_files) == {"requirements.txt", "requirements-test.txt"}


async def test_the_plan_is_the_commits_and_not_the_newest(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    first = repository.commit({"pyproject.toml": PYPROJECT})
    repository.commit({"pyproject.toml": PYPROJECT.replace("thing", "renamed")})
    mirror = await open_mirror(str(repository.path), "main", tmp_path / "home", timeout_s=30)
    assert (await plan(mirror, first, TASK, "3.10")).project == "thing"


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"reasons": ("other",)}, True),
        ({"python": "3.11"}, False),
        ({"as_of": "2024-01-02"}, False),
        ({"extras": ("test",)}, False),
        ({"groups": ("test",)}, False),
        ({"requirements": ()}, False),
        ({"files": {"setup.py": "x"}}, False),
    ],
)
def test_a_key_changes_with_what_determines_the_layer(change: dict[str, Any], same: bool) -> None:
    made = EnvironmentPlan(python="3.10", as_of="2024-01-01")
    assert (replace(made, **change).key("base") == made.key("base")) is same
    assert made.key("base") != made.key("other base")
