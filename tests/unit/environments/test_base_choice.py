"""Which base image a task gets where not every Python can be had."""

import pytest

from agent_runner.environments.commands import Needs
from agent_runner.environments.facts import Facts
from agent_runner.environments.imports import Imported
from agent_runner.environments.metadata import Metadata
from agent_runner.environments.plan import Wish, environment_of
from agent_runner.environments.project import Project
from agent_runner.environments.python import Choice
from agent_runner.errors import InfraFault
from agent_runner.images.choose_python import choose_base
from agent_runner.task import Task
from tools.workspace.engine import Image
from tools.workspace.layers.base_image import Base


def wish(python: str, *others: str, row: str | None = None) -> Wish:
    read = Project((), {}, Metadata(), Imported(), "", "")
    task = Task(task_id="a", repo="r", python=row)
    choice = Choice(python, "somebody says so", others)
    return Wish(task, read, ("2024-01-01", "created_at"), Facts(), Needs(), choice)


async def brought(wanted: Wish, *there: str) -> tuple[str, list[str]]:
    """The Python that is brought, and those asked for; elsewhere the distribution's own comes."""
    asked: list[str] = []

    async def bring(python: str) -> Base:
        asked.append(python)
        inside = python if python in there else "3.11"
        return Base(Image(id=inside, tags=(), labels={}, size_bytes=0), inside)

    return (await choose_base(wanted, bring)).python, asked


async def test_the_chosen_one_is_taken_where_it_is_there() -> None:
    assert await brought(wish("3.9", "3.8"), "3.8", "3.9") == ("3.9", ["3.9"])


async def test_else_the_nearest_that_the_project_supports() -> None:
    assert await brought(wish("3.9", "3.8", "3.10", "3.11"), "3.10") == (
        "3.10",
        ["3.9", "3.8", "3.10"],
    )
    assert await brought(wish("3.9", "3.10", "3.11")) == ("3.11", ["3.9", "3.10"])


async def test_one_that_the_project_does_not_support_is_refused() -> None:
    with pytest.raises(InfraFault, match=r"the project wants Python 3\.7, 3\.6; only 3\.11"):
        await brought(wish("3.7", "3.6"))


async def test_a_row_that_names_its_python_gets_no_other() -> None:
    with pytest.raises(InfraFault, match=r"the task wants Python 3\.7; only 3\.11"):
        await brought(wish("3.7", "3.11", row="3.7"))


def test_the_reason_says_what_was_taken_in_its_place() -> None:
    made = environment_of(wish("3.9", "3.8"), "3.8").environment
    assert made.python == "3.8"
    assert made.reasons[0] == (
        "Python 3.8: in place of 3.9 (somebody says so), which cannot be had here"
    )
