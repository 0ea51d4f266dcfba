"""What a project's metadata require, where its files state it outright.

Then nothing of the project has to be built to know it, and commits that state the same share the
answer. Whatever is computed, or not surely known, is left to the build.
"""

import ast
import configparser
import tomllib
from collections.abc import Iterable, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

Stated = Mapping[str, tuple[str, ...]]

# Arguments of `setup` and parts of `setup.cfg` that let something else say what is required.
SETUPTOOLS = "setuptools"
ELSEWHERE = frozenset({"pbr", "distclass", "use_2to3"})
DECIDING = ELSEWHERE | {"install_requires", "extras_require", "setup_requires"}
CHANGING = frozenset({"append", "extend", "insert", "update", "setdefault", "remove", "pop"})


def read_stated(files: Mapping[str, str], project: str) -> Stated | None:
    """Requirement lines by extra, "" for those of all; None where only a build can tell.

    Args:
        files: the project's packaging files by path.
        project: its name; a requirement of itself is for the build to follow.
    """
    try:
        table = tomllib.loads(files.get("pyproject.toml", ""))
        if "project" in table:
            found = _of_pyproject(table["project"])
        elif _backend(table).startswith(SETUPTOOLS) and {"setup.py", "setup.cfg"} & set(files):
            found = _of_setuptools(files)
        else:
            return None
        return _checked(found, project) if found is not None else None
    except (ValueError, TypeError, AttributeError, SyntaxError, configparser.Error):
        return None  # not the shape it should have: the build says what is wrong


def _backend(table: Mapping[str, Mapping[str, object]]) -> str:
    return str(table.get("build-system", {}).get("build-backend", SETUPTOOLS))


def _of_pyproject(project: Mapping[str, object]) -> dict[str, Iterable[str]] | None:
    dynamic = project.get("dynamic", [])
    if {"dependencies", "optional-dependencies"} & set(
        dynamic if isinstance(dynamic, list) else []
    ):
        return None
    extras = project.get("optional-dependencies", {})
    lines = project.get("dependencies", [])
    return {"": lines, **extras} if isinstance(extras, dict) and isinstance(lines, list) else None


def _of_setuptools(files: Mapping[str, str]) -> dict[str, Iterable[str]] | None:
    cfg = _of_setup_cfg(files.get("setup.cfg", ""))
    script = _of_setup_py(files["setup.py"]) if "setup.py" in files else {}
    # Which of the two goes first is for setuptools to say.
    if cfg is None or script is None or set(cfg) & set(script):
        return None
    return {"": (), **cfg, **script}


def _of_setup_cfg(text: str) -> dict[str, Iterable[str]] | None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    if parser.has_option("metadata", "requires-dist"):
        return None
    options = dict(parser.items("options")) if parser.has_section("options") else {}
    extras: dict[str, str] = {}
    if parser.has_section("options.extras_require"):
        extras = dict(parser.items("options.extras_require"))
    if ELSEWHERE & set(options) or "pbr" in options.get("setup_requires", ""):
        return None
    found = extras | ({"": options["install_requires"]} if "install_requires" in options else {})
    if any(text.strip().startswith(("file:", "attr:")) for text in found.values()):
        return None
    return {name: text.split("\n" if "\n" in text else ";") for name, text in found.items()}


def _of_setup_py(text: str) -> dict[str, Iterable[str]] | None:
    tree = ast.parse(text)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_setup(node)]
    if len(calls) != 1:
        return None
    given = {word.arg: word.value for word in calls[0].keywords}
    required = given.pop("setup_requires", None)
    spread = (word.value for word in calls[0].keywords if word.arg is None)
    if ELSEWHERE & set(given) or not all(_says_nothing(one, tree) for one in spread):
        return None
    if required is not None and "pbr" in ast.unparse(required):
        return None
    known = _constants(tree)
    lines = _literal(given.get("install_requires"), known)
    extras = _literal(given.get("extras_require"), known)
    found: dict[str, Iterable[str]] = {} if lines is None else {"": _lines(lines)}
    if extras is not None:
        if not isinstance(extras, dict):
            return None
        found |= {str(name): _lines(one) for name, one in extras.items()}
    return found


def _says_nothing(node: ast.expr, tree: ast.Module) -> bool:
    """Whether `**node` is a name for dictionaries that hold no argument which counts here."""
    if not isinstance(node, ast.Name):
        return False
    keys: list[ast.expr | None] = []
    stored = 0
    for one in ast.walk(tree):
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == node.id:
            if not isinstance(one.value, ast.Dict):
                return False
            keys += one.value.keys
            stored -= 1
        elif isinstance(one, ast.Subscript) and ast.unparse(one.value) == node.id:
            keys.append(one.slice)
        elif isinstance(one, ast.Attribute) and ast.unparse(one.value) == node.id:
            return False
        elif isinstance(one, ast.Name) and one.id == node.id:
            stored += not isinstance(one.ctx, ast.Load)
    named = [key.value if isinstance(key, ast.Constant) else None for key in keys]
    return stored == 0 and None not in named and not DECIDING & set(named)


def _lines(value: object) -> list[str]:
    """What `setup` takes as a list.

    Raises:
        ValueError: it is neither text nor a list.
    """
    if isinstance(value, str):
        return value.split("\n")
    if isinstance(value, list):
        return [str(line) for line in value]
    raise ValueError(value)


def _is_setup(call: ast.Call) -> bool:
    return ast.unparse(call.func) in {"setup", "setuptools.setup"}


def _literal(node: ast.expr | None, known: Mapping[str, ast.expr]) -> object:
    """The value of an argument.

    Raises:
        ValueError: it is computed.
    """
    if isinstance(node, ast.Name) and node.id in known:
        rest = {name: value for name, value in known.items() if name != node.id}
        return _literal(known[node.id], rest)
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_literal(item, known) for item in node.elts]
    if isinstance(node, ast.Dict) and None not in node.keys:
        keys = (_literal(key, known) for key in node.keys)
        return dict(zip(keys, (_literal(value, known) for value in node.values), strict=True))
    if isinstance(node, ast.BinOp):
        left, right = _literal(node.left, known), _literal(node.right, known)
        if isinstance(node.op, ast.Mod) and isinstance(left, str) and isinstance(right, str):
            return left % right
        if isinstance(node.op, ast.Add) and isinstance(left, list) and isinstance(right, list):
            return left + right
    return None if node is None else ast.literal_eval(node)


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What is assigned once, at the top, and never changed after that."""
    at_top = [node for node in tree.body if isinstance(node, ast.Assign)]
    values = {
        target.id: node.value for node in at_top for target in node.targets
        if isinstance(target, ast.Name)
    }  # fmt: skip
    changed: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            changed.append(node.id)
        elif (isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load)) or (
            isinstance(node, ast.Attribute) and node.attr in CHANGING
        ):
            changed += 2 * [ast.unparse(node.value)]
    return {name: value for name, value in values.items() if changed.count(name) == 1}


def _checked(found: Mapping[str, Iterable[str]], project: str) -> Stated | None:
    """The same with conditions of setuptools written out; None where a line is no requirement."""
    checked: dict[str, list[str]] = {"": []}
    for name, raw in found.items():
        extra, _, condition = name.partition(":")
        lines = checked.setdefault(canonicalize_name(extra) if extra else "", [])
        for line in raw:
            text = line.partition(" #")[0].strip()
            if not text or text.startswith("#"):
                continue
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                return None
            own = canonicalize_name(requirement.name) == canonicalize_name(project or "-")
            if own or requirement.url or (condition and requirement.marker):
                return None
            lines.append(f"{text}; {condition}" if condition else text)
    return {name: tuple(lines) for name, lines in checked.items()}
