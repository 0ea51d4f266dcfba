"""Prompts: Jinja2 templates in which an undefined name is an error."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from agent_runner.errors import UsageError
from agent_runner.task import Task
from tools.workspace.spec import LINK

if TYPE_CHECKING:
    from jinja2 import Template

SEPARATOR = "\n--- task ---\n"


@dataclass(frozen=True)
class Prompts:
    """What the model reads before its first turn.

    Attributes:
        sha256: of the template, so that results of one prompt can be told from another's.
    """

    system: str
    task: str
    sha256: str


def render(path: Path, task: Task) -> Prompts:
    """Renders a template: the system prompt, a line `--- task ---`, the task's prompt.

    Raises:
        UsageError: it cannot be read, has no separator, or uses an unknown name.
    """
    from jinja2 import TemplateError

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the prompt {path}: {error}") from error
    system, found, rest = text.partition(SEPARATOR)
    if not found:
        raise UsageError(f"{path} lacks the line {SEPARATOR.strip()!r} between its two parts")
    names = {
        "problem_statement": task.problem_statement or f"Make the tests of {task.repo} pass.",
        "project": LINK,
        "tests_are_hidden": task.tests_are_hidden,
        "fail_to_pass": () if task.tests_are_hidden else task.FAIL_TO_PASS,
        "pytest_k": task.pytest_k,
        "test_paths": task.test_paths,
    }
    try:
        rendered = [_compiled(part).render(names) for part in (system, rest)]
    except TemplateError as error:
        raise UsageError(f"the prompt {path}: {error}") from error
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Prompts(rendered[0].strip(), rendered[1].strip(), digest)


@lru_cache(maxsize=16)
def _compiled(text: str) -> "Template":
    """All tasks of a batch have the same template, and compiling costs far more than filling in."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True).from_string(text)
