"""What a `setup.py` says of its project, read as text: none of its code is run."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

LISTS = (".txt", ".in", ".pip")


@dataclass(frozen=True)
class SetupCall:
    """The arguments of `setup(...)` as far as they can be read; computed parts are left out.

    Attributes:
        name: the distribution's, "" where it is computed.
        extras: requirement lines of each extra; an extra whose lines are computed has none here.
    """

    name: str = ""
    python_requires: str = ""
    classifiers: tuple[str, ...] = ()
    install_requires: tuple[str, ...] = ()
    tests_require: tuple[str, ...] = ()
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_setup_script(text: str, files: Mapping[str, str]) -> SetupCall:
    """Reads the call of `setup`.

    Args:
        files: the project's files by path: a list of requirements may lie in one of them.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # ValueError: a null byte, before Python 3.11.4
        return SetupCall()
    script = _Script(tree, files)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setup"):
            given = script.arguments(node)
            return SetupCall(
                name=script.string(given.get("name")),
                python_requires=script.string(given.get("python_requires")),
                classifiers=script.lines(given.get("classifiers")),
                install_requires=script.lines(given.get("install_requires")),
                tests_require=script.lines(given.get("tests_require")),
                extras=script.table(given.get("extras_require")),
            )
    return SetupCall()


class _Script:
    """A module's names, each with what was assigned to it last."""

    def __init__(self, tree: ast.Module, files: Mapping[str, str]) -> None:
        self._files = files
        self._values: dict[str, ast.expr] = {}
        self._items: dict[str, dict[str, ast.expr]] = {}
        self._updates: dict[str, list[ast.expr]] = {}
        self._added: dict[str, list[ast.expr]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._assign(target, node.value)
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                self._assign(node.target, node.value)
            elif isinstance(node, ast.AugAssign):
                self._added.setdefault(ast.unparse(node.target), []).append(node.value)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                self._call(node.func, node.args, node.keywords)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._values[target.id] = value
        elif isinstance(target, ast.Subscript):
            key = self.string(target.slice)
            self._items.setdefault(ast.unparse(target.value), {})[key] = value

    def _call(
        self, function: ast.Attribute, args: list[ast.expr], keywords: list[ast.keyword]
    ) -> None:
        """`x.update(...)`, `x.extend(...)` and `x.append(...)`."""
        name = ast.unparse(function.value)
        if function.attr == "update":
            given = [word.value for word in keywords if word.arg is None]
            self._updates.setdefault(name, []).extend(args + given)
            for word in keywords:
                if word.arg:
                    self._items.setdefault(name, {})[word.arg] = word.value
        elif function.attr in {"extend", "append"}:
            self._added.setdefault(name, []).extend(args)

    def arguments(self, call: ast.Call) -> dict[str, ast.expr]:
        """The named arguments, those of `**name` too."""
        given: dict[str, ast.expr] = {}
        for word in call.keywords:
            given |= {word.arg: word.value} if word.arg else self._entries(word.value)
        return given

    def string(self, node: ast.expr | None) -> str:
        """A literal string, or the name of one; "" for everything else."""
        node = self._followed(node)
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""

    def lines(self, node: ast.expr | None, depth: int = 0) -> tuple[str, ...]:
        """A list of strings: literal, added up, or read from a file of the project."""
        if node is None or depth > 8:
            return ()
        added: list[ast.expr] = []
        if isinstance(node, (ast.Name, ast.Subscript)):
            added = self._added.get(ast.unparse(node), [])
        value = self._followed(node)
        found = self._literal_lines(value, depth)
        if not found and value is not None:
            found = self._lines_of_files(value)
        return found + tuple(line for one in added for line in self.lines(one, depth + 1))

    def _literal_lines(self, node: ast.expr | None, depth: int) -> tuple[str, ...]:
        if isinstance(node, ast.Constant):
            return tuple(node.value.split("\n")) if isinstance(node.value, str) else ()
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return tuple(line for item in node.elts for line in self.lines(item, depth + 1))
        if isinstance(node, ast.Starred):
            return self.lines(node.value, depth + 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.lines(node.left, depth + 1) + self.lines(node.right, depth + 1)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"list", "tuple", "sorted"}:
            return tuple(line for item in node.args for line in self.lines(item, depth + 1))
        return ()

    def _lines_of_files(self, node: ast.expr) -> tuple[str, ...]:
        """`read("requirements.txt")`, `open(join("requirements", "tests.txt"))` and the like."""
        for call in (one for one in ast.walk(node) if isinstance(one, ast.Call)):
            parts = [self.string(part) for part in call.args]
            path = "/".join(part for part in parts if part and part not in {"r", "utf-8", "."})
            for name in (path, f"requirements/{path}"):
                if name.endswith(LISTS) and name in self._files:
                    return tuple(self._files[name].split("\n"))
        return ()

    def table(self, node: ast.expr | None) -> dict[str, tuple[str, ...]]:
        """A dictionary of lists, literal or built up."""
        named = ast.unparse(node) if isinstance(node, ast.Name) else ""
        found = {}
        for key, value in self._entries(node).items():
            added = self._added.get(f"{named}[{key!r}]", [])
            found[key] = self.lines(value) + tuple(
                line for one in added for line in self.lines(one)
            )
        return {key: lines for key, lines in found.items() if key}

    def _entries(self, node: ast.expr | None, depth: int = 0) -> dict[str, ast.expr]:
        if node is None or depth > 8:
            return {}
        found: dict[str, ast.expr] = {}
        value = self._followed(node)
        if isinstance(value, ast.Dict):
            for key, item in zip(value.keys, value.values, strict=True):
                found |= {self.string(key): item} if key else self._entries(item, depth + 1)
        elif isinstance(value, ast.Call):
            for one in value.args if ast.unparse(value.func) == "dict" else []:
                found |= self._entries(one, depth + 1)
            for word in value.keywords:
                found |= {word.arg: word.value} if word.arg else self._entries(word.value)
        if isinstance(node, ast.Name):
            for one in self._updates.get(node.id, []):
                found |= self._entries(one, depth + 1)
            found |= self._items.get(node.id, {})
        return found

    def _followed(self, node: ast.expr | None) -> ast.expr | None:
        seen: set[str] = set()
        while isinstance(node, (ast.Name, ast.Subscript)) and ast.unparse(node) not in seen:
            seen.add(ast.unparse(node))
            if isinstance(node, ast.Name):
                node = self._values.get(node.id)
            else:
                table = self._entries(node.value) if isinstance(node.value, ast.Name) else {}
                node = table.get(self.string(node.slice))
        return node


def names(lines: Iterable[str]) -> list[str]:
    """Requirement lines without comments and blanks."""
    return [line for raw in lines if (line := raw.partition(" #")[0].strip()) and line[0] != "#"]
