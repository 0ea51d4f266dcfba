"""From a repository at a commit to an environment as of a date, with git alone."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from agent_runner.document import read_yaml
from agent_runner.environments.facts import FILE
from agent_runner.environments.plan import Planned, Wish, environment_of, plan, survey
from agent_runner.places import root
from agent_runner.task import Located, Official, Task
from tools.workspace.packages.environment import EnvironmentPlan
from tools.workspace.repository.git import git
from tools.workspace.repository.mirrors import open_mirror

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
    assert environment.stated == {"": (), "test": ("pytest",), "docs": ()}
    assert environment.files == {}, "all that counts of them is stated"
    assert environment.python == "3.10"


async def test_lists_and_all_they_include_determine_the_environment(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    files = {
        "setup.py": "setup(name='thing', install_requires=open('more.txt').read())",
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


async def test_what_a_project_requires_determines_it_and_not_how_it_says_so(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    setup = "from setuptools import setup\nsetup(name='thing', install_requires=['six'])"
    dated = TASK.model_copy(update={"created_at": "2024-05-06T00:00:00Z"})
    keys = []
    for text in (setup, f"{setup}  # more", setup.replace("six", "six>1"), "import os\nos.exit()"):
        repository.commit({"setup.py": text})
        environment = (await planned(repository, tmp_path, dated)).environment
        assert environment.metadata_file == "setup.py"
        keys.append(environment.key("base"))
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


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


async def surveyed(
    repository: Repository, tmp_path: Path, task: Task = TASK, script: str = "",
    wanted: str | None = None, repo: str = "nobody/knows",
) -> Wish:  # fmt: skip
    mirror = await open_mirror(str(repository.path), "main", tmp_path / "home", timeout_s=30)
    official = Official(repo, "1.0", "", script, "", "") if script else None
    located = Located(task, mirror.source, official)
    return await survey(mirror, repository.commits[-1], located, wanted=wanted)


SUPPORTS = "[project]\nname = 'thing'\nrequires-python = '>=3.8'\n"


async def test_the_python_is_the_projects_own_unless_somebody_names_one(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    repository.commit({"pyproject.toml": SUPPORTS, "tox.ini": "[tox]\nenvlist = py{38,39}"})
    found = (await surveyed(repository, tmp_path)).choice
    assert (found.python, found.others) == ("3.9", ("3.8", "3.10", "3.11", "3.12"))
    assert "requires-python = >=3.8; tox.ini envlist" in found.reason
    tox = "tox -e py310 -- tests"
    assert (await surveyed(repository, tmp_path, script=tox)).choice.python == "3.10"
    wish = await surveyed(repository, tmp_path, wanted="3.11", script=tox)
    assert wish.choice.python == "3.11"
    assert "images.python" in wish.choice.reason
    row = TASK.model_copy(update={"python": "3.7"})
    wish = await surveyed(repository, tmp_path, task=row, wanted="3.11")
    assert (wish.choice.python, wish.choice.reason) == ("3.7", "the row")


async def test_what_the_tests_import_is_looked_for_in_the_commit(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    files = {
        "setup.py": "setup(name='thing', extras_require={'io': ['netCDF4>1', 'zarr']})",
        "thing/__init__.py": "import zarr\n",
        "tests/test_a.py": "import thing\nimport netCDF4\nfrom tests import helper\n",
        "tests/helper.py": "",
    }
    repository.commit(files)
    made = environment_of(await surveyed(repository, tmp_path), "3.9").environment
    assert made.optional == ("netCDF4>1",)
    assert any("setup.py [io], imported by the tests" in line for line in made.reasons)


async def test_the_list_for_tests_is_read_however_many_there_are_and_wherever_tox_has_it(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    many = {f"ci/a{number}.txt": "x" for number in range(70)}
    repository.commit(many | {"setup.py": "setup()", "requirements-test.txt": "pytest\n"})
    made = (await planned(repository, tmp_path)).environment
    assert made.files["requirements-test.txt"] == "pytest\n"
    repository = new_repository("other")
    tox = {"tox.ini": "[testenv]\ndeps = -r odd/place.txt", "odd/place.txt": "mock\n"}
    repository.commit(tox | {"setup.py": "setup()"})
    made = (await planned(repository, tmp_path / "other")).environment
    assert made.files["odd/place.txt"] == "mock\n"
    assert made.requirement_files == ("odd/place.txt",)


async def test_a_name_that_is_computed_is_the_repositorys_where_a_package_is_called_so(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("thing")
    repository.commit({"setup.py": "setup(name=find())", "src/thing/__init__.py": ""})
    task = TASK.model_copy(update={"repo": "https://x.y/a/thing.git"})
    assert (await planned(repository, tmp_path, task)).project == "thing"
    other = TASK.model_copy(update={"repo": "https://x.y/a/other"})
    assert (await planned(repository, tmp_path, other)).project == ""


async def test_a_compiler_comes_for_extensions_of_the_projects_own(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    setup = {"setup.py": "setup(name='thing', ext_modules=[Extension('a', ['a.c'])])"}
    repository.commit(setup | {"tests/data/a.c": ""})
    assert (await planned(repository, tmp_path)).environment.debian == ()
    repository.commit({"thing/a.c": ""})
    made = (await planned(repository, tmp_path)).environment
    assert "g++" in made.debian
    assert any(line.endswith("to build thing/a.c") for line in made.reasons)


async def test_the_newest_tag_of_the_past_is_the_version(
    new_repository: New, tmp_path: Path
) -> None:
    repository = new_repository("r")
    repository.commit({"a.py": ""})
    await git("tag", "v2.1.0", cwd=repository.path)
    repository.commit({"a.py": "x = 1"})
    assert (await surveyed(repository, tmp_path)).read.version == "2.1.0"


async def test_facts_can_be_left_out(new_repository: New, tmp_path: Path) -> None:
    repository = new_repository("r")
    repository.commit({"a.py": ""})
    table = read_yaml(root() / FILE)
    assert isinstance(table, dict)
    name = next(name for name, entries in table.items() if any("python" in e for e in entries))
    wish = await surveyed(repository, tmp_path, script="pytest", repo=name)
    assert wish.facts.reasons
    mirror = await open_mirror(str(repository.path), "main", tmp_path / "home", timeout_s=30)
    located = Located(TASK, mirror.source, Official(name, "1.0", "", "pytest", "", ""))
    bare = await survey(mirror, repository.commits[-1], located, with_facts=False)
    assert bare.facts.reasons == ()


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"reasons": ("other",)}, True),
        ({"python": "3.11"}, False),
        ({"as_of": "2024-01-02"}, False),
        ({"settled_as_of": ("2023-01-01",)}, False),
        ({"stated": {"": ("six",)}}, False),
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
