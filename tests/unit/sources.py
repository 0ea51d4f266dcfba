"""The program's own files, each read and parsed once in a process."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("agent_runner", "tools")


@cache
def files() -> tuple[Path, ...]:
    return tuple(file for name in PACKAGES for file in sorted((ROOT / name).rglob("*.py")))


@cache
def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(text_of(file))


def statements(file: Path) -> Iterator[ast.stmt]:
    """Every statement, those inside others too; no expression holds one."""
    waiting: list[ast.AST] = [parsed(file)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            if isinstance(held := getattr(node, field, None), list):
                waiting += held
