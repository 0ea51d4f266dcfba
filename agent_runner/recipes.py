"""Which rules a task is graded by."""

from agent_runner.benchmarks import rows
from agent_runner.benchmarks.swebench import official
from agent_runner.grading.recipe import Recipe
from agent_runner.task import Located


def recipe_of(located: Located, *, own_tests: bool = False) -> Recipe:
    """The benchmark's own rules where the task brings them, else those of plain rows.

    Args:
        own_tests: the patch's own tests count, so no test file is set back (plain rows only).

    Raises:
        InvalidTask: what the task brings cannot be followed.
    """
    if located.official is not None:
        return official.recipe(located)
    return rows.recipe(located.task, protect=not own_tests)
