"""Files and functions stay small, and are named for what they hold."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from agent_runner.benchmarks.seeds import tasks_file
from agent_runner.task import load_tasks
from tests.unit.sources import ROOT, files, parsed, statements, text_of

MOST_LINES = 250
MOST_FUNCTION_LINES = 45
# Names that say nothing of what is inside.
FORBIDDEN = {"utils", "util", "common", "helpers", "helper", "manager", "base", "misc", "core"}
# A benchmark's repositories: a rule for one of them belongs into its data, not into code.
REPOSITORIES = re.compile(
    r"\b(?:astropy|django|flask|matplotlib|seaborn|psf/requests|xarray|pylint|scikit-learn|sklearn"
    r"|sphinx|sympy)\b",
    re.IGNORECASE,
)


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in statements(file):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the signature to the end, without the docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def test_files_are_short() -> None:
    sizes = {file: len(text_of(file).splitlines()) for file in files()}
    assert {str(file): size for file, size in sizes.items() if size > MOST_LINES} == {}


def test_functions_are_short() -> None:
    long = {
        f"{file.relative_to(ROOT)}:{node.name}": body_lines(node)
        for file in files()
        for node in functions(file)
        if body_lines(node) > MOST_FUNCTION_LINES
    }
    assert long == {}


def test_names_say_what_is_inside() -> None:
    parts = {part for file in files() for part in file.relative_to(ROOT).with_suffix("").parts}
    assert parts & FORBIDDEN == set()


def test_every_file_says_what_it_is_for() -> None:
    silent = [
        file.relative_to(ROOT)
        for file in files()
        if parsed(file).body
        and ast.get_docstring(parsed(file)) is None
        and file.name != "__main__.py"
    ]
    assert silent == []


def test_no_code_is_written_for_one_repository() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
        for file in files()
        for node in code_of(file)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and REPOSITORIES.search(node.value)
    ]
    assert found == []


def code_of(file: Path) -> Iterator[ast.AST]:
    """Every node but docstrings and other bare strings."""
    waiting: list[ast.AST] = [parsed(file)]
    while waiting:
        node = waiting.pop()
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield node
            waiting += ast.iter_child_nodes(node)


def test_every_package_is_named_for_installation() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for file in files()
        if file.name == "__init__.py"
    }
    assert set(settings["tool"]["setuptools"]["packages"]) == folders
    assert {".".join(file.parent.relative_to(ROOT).parts) for file in files()} == folders


def test_nothing_reads_the_environment_at_import() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in files()
        for node in run_at_import(parsed(file))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]
    assert found == []


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What is run when a module is imported: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from run_at_import(child)


def test_the_tasks_that_come_along_can_be_loaded() -> None:
    assert len(load_tasks(tasks_file())) >= 6
