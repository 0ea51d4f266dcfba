"""From the `tasks` of a batch to the tasks themselves."""

import random
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from agent_runner.batch.settings import DatasetTasks, FileTasks, Filter, SeedTasks, Source, Tasks
from agent_runner.benchmarks import seeds
from agent_runner.errors import UsageError
from agent_runner.nearest import nearest
from agent_runner.task import Located, load_tasks, locate


def select(tasks: Tasks) -> list[Located]:
    """The tasks of a batch, in the order of their source.

    Raises:
        UsageError: the source cannot be read, a pattern or a value fits no task, or none is left.
        InfraFault: the data set's server does not answer.
    """
    found = _read(tasks.source)
    ids = [one.task.task_id for one in found]
    kept = set(_fitting("include", tasks.include, ids) if tasks.include else ids)
    kept -= set(_fitting("exclude", tasks.exclude, ids))
    found = [one for one in found if one.task.task_id in kept]
    for name, value in _wanted(tasks.filter):
        found = _filtered(found, name, value)
    if tasks.sample is not None:
        found = _sampled(found, tasks.sample.size, tasks.sample.seed)
    found = found[: tasks.limit]
    if not found:
        raise UsageError(f"the batch selects none of {len(ids)} tasks: see tasks in its YAML")
    return found


def _read(source: Source) -> list[Located]:
    match source:
        case SeedTasks():
            return _located(seeds.tasks_file())
        case FileTasks():
            return _located(Path(source.path))
        case DatasetTasks():
            from agent_runner.benchmarks.swebench.dataset import open_dataset

            dataset = open_dataset(source.name, source.split)
            return [row.located() for row in dataset.rows(list(dataset.positions))]


def _located(path: Path) -> list[Located]:
    directory = path.resolve().parent
    return [locate(task, directory) for task in load_tasks(path)]


def _fitting(option: str, patterns: Sequence[str], ids: Sequence[str]) -> list[str]:
    """The ids that fit one of the patterns, each of which must fit one."""
    fitting: list[str] = []
    for pattern in patterns:
        fits = [name for name in ids if fnmatchcase(name, pattern)]
        if not fits:
            hint = nearest(pattern, ids) or f"; there are {', '.join(ids[:10])}"
            raise UsageError(f"tasks.{option}: no task fits {pattern!r}{hint}")
        fitting += fits
    return fitting


VALUES: dict[str, Callable[[Located], str]] = {
    "repo": lambda one: repository(one),
    "category": lambda one: one.task.category,
    "difficulty": lambda one: one.task.difficulty,
}


def repository(one: Located) -> str:
    """A repository's short name: `owner/name` of an official row, else as the task has it."""
    return one.official.repo if one.official else one.task.repo


def _wanted(chosen: Filter) -> list[tuple[str, tuple[str, ...]]]:
    pairs = (
        ("repo", chosen.repo),
        ("category", chosen.category),
        ("difficulty", chosen.difficulty),
    )
    return [(name, values) for name, values in pairs if values]


def _filtered(found: list[Located], name: str, wanted: tuple[str, ...]) -> list[Located]:
    of = VALUES[name]
    there = {of(one) for one in found} - {""}
    for value in wanted:
        if value not in there:
            hint = nearest(value, there) or f"; there are {', '.join(sorted(there)[:10]) or 'none'}"
            raise UsageError(f"tasks.filter.{name}: no task has {value!r}{hint}")
    return [one for one in found if of(one) in wanted]


def _sampled(found: list[Located], size: int, seed: int) -> list[Located]:
    """Drawn by id, so that the draw does not hang on the order of the source."""
    if size > len(found):
        raise UsageError(f"tasks.sample.size is {size}, and there are {len(found)} tasks")
    ids = sorted(one.task.task_id for one in found)
    drawn = set(random.Random(seed).sample(ids, size))
    return [one for one in found if one.task.task_id in drawn]
