"""Wrong patches, made from right ones: each kind fails in another way, the same on every machine.

What a patch really comes to is for a grader to say; a kind is only how it was made.
"""

import ast
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unidiff.patch import PatchedFile, PatchSet

from tests.corpora.patches.sources import git

__all__ = ["KINDS", "Case", "Read", "Reference", "cases", "without_hunk"]

Read = Callable[[str], bytes | None]
NOWHERE = "a line that stands in no file"


@dataclass(frozen=True)
class Reference:
    """An instance's right patch and the tree it belongs to.

    Attributes:
        fail_to_pass: the ids of the tests it is for.
        read: a file's bytes at the base commit by its path, None where there is none.
    """

    instance_id: str
    patch: str
    fail_to_pass: tuple[str, ...]
    read: Read

    @property
    def modules(self) -> list[str]:
        """The Python files it changes and does not make."""
        files = PatchSet(self.patch)
        return [f.path for f in files if f.path.endswith(".py") and not f.is_added_file]


@dataclass(frozen=True)
class Case:
    """A prediction to grade; `kind` says how it was made."""

    instance_id: str
    kind: str
    patch: str


Damage = Callable[[Reference, int], str | None]


def cases(references: Sequence[Reference], each: int = 4) -> list[Case]:
    """`each` patches of every kind, over instances as different as the order allows."""
    ordered = sorted(references, key=lambda reference: reference.instance_id)
    found = []
    for number, (kind, make) in enumerate(KINDS.items()):
        found += _of_kind(kind, make, ordered[number * 5 % len(ordered) :] + ordered, each)
    return found


def _of_kind(kind: str, make: Damage, candidates: Sequence[Reference], each: int) -> list[Case]:
    """Steps through the candidates so that neighbours, of one repository, are not all taken."""
    step = max(1, len(set(candidates)) // each)
    turns = [one for start in range(step) for one in candidates[start::step]]
    found: dict[str, Case] = {}
    for reference in turns:
        patch = make(reference, len(found))
        if patch and reference.instance_id not in found and len(found) < each:
            found[reference.instance_id] = Case(reference.instance_id, kind, patch)
    return list(found.values())


def _does_not_apply(reference: Reference, variant: int) -> str | None:
    """A hunk that fits nowhere, a file that is not there, an end that is lost, a patch reversed."""
    patch = reference.patch
    match variant % 4:
        case 0:
            first, rest = patch.split("\n@@ ", 1)
            head, body = rest.split("\n", 1)
            return f"{first}\n@@ {_longer(head)}\n-{NOWHERE}\n{body}"
        case 1:
            path = PatchSet(patch)[0].path
            return patch.replace(path, f"{path}.gone")
        case 2:
            return patch[: patch.rindex("\n@@ ") + 60]
        case _:
            return _diff(reference, {}, backwards=True)


def _longer(head: str) -> str:
    """A hunk's head with one more line on the old side."""
    old, new, rest = head.split(" ", 2)
    start, _, count = old.partition(",")
    return f"{start},{int(count or 1) + 1} {new} {rest}"


def _partial(reference: Reference, variant: int) -> str | None:
    """The functions of the patched module fail one of several tests, as pytest calls it."""
    names = sorted({name.rpartition("::")[2] for name in reference.fail_to_pass if "::" in name})
    failed = names[variant % 2 - 1] if names else ""
    if not any(failed not in name for name in names):
        return None
    running = '__import__("os").environ.get("PYTEST_CURRENT_TEST", "")'
    return _edited(
        reference, _beginning(f'if {failed!r} in {running}: raise RuntimeError("damaged")')
    )


def _beginning(line: str) -> Callable[[str], str]:
    """An edit after which every function begins with a line."""

    def edit(source: str) -> str:
        lines = source.splitlines(keepends=True)
        for at, indent in sorted(_bodies(source), reverse=True):
            lines.insert(at, f"{' ' * indent}{line}\n")
        return "".join(lines)

    return edit


def without_hunk(patch: str, number: int) -> str:
    """The patch without one of its hunks, counted from 0 over all files."""
    files = PatchSet(patch)
    hunks = [(file.path, at) for file in files for at in range(len(file))]
    return "".join(_without(file, hunks[number]) for file in files)


def _without(file: PatchedFile, dropped: tuple[str, int]) -> str:
    kept = [hunk for number, hunk in enumerate(file) if (file.path, number) != dropped]
    if not kept:
        return ""
    head = f"diff --git a/{file.path} b/{file.path}\n--- a/{file.path}\n+++ b/{file.path}\n"
    return head + "".join(str(hunk) for hunk in kept)


def _broken(reference: Reference, variant: int) -> str | None:
    """Functions of the patched module raise: half of them, or the one in the middle."""

    def breaking(source: str) -> str:
        places = _bodies(source)
        chosen = places[::2] if variant % 2 else places[len(places) // 2 :][:1]
        lines = source.splitlines(keepends=True)
        for at, indent in sorted(chosen, reverse=True):
            lines.insert(at, f'{" " * indent}raise RuntimeError("damaged")\n')
        return "".join(lines)

    return _edited(reference, breaking)


def _bodies(source: str) -> list[tuple[int, int]]:
    """Line and indentation of where each function's code begins, behind its docstring."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        code = node.body[1:] if ast.get_docstring(node) is not None else node.body
        if not code:
            continue
        # A decorated first statement begins at its decorator.
        above = [one.lineno for one in getattr(code[0], "decorator_list", [])]
        line = min([code[0].lineno, *above]) - 1
        if line >= node.lineno:  # not on the line of its own `def`
            found.append((line, code[0].col_offset))
    return sorted(found)


def _unstartable(reference: Reference, variant: int) -> str | None:
    """The package cannot be imported, or ends the process that imports it."""
    if variant % 2 == 0:
        package = _package(reference)
        return _appended(reference, "\ndef (\n", package) if package else None
    ending = ("raise SystemExit(3)", "__import__('os')._exit(0)")[variant // 2 % 2]
    return _appended(reference, f"\n{ending}\n")


def _skipped(reference: Reference, variant: int) -> str | None:
    """Tests are skipped: by the module under test, or by a plug-in of the patch."""
    if variant % 2 == 0:
        return _appended(reference, "\nimport unittest\nraise unittest.SkipTest('not today')\n")
    marks = (
        "import pytest\n\n\ndef pytest_collection_modifyitems(items):\n    for item in items:\n"
        "        item.add_marker(pytest.mark.skip(reason='not today'))\n"
    )
    if reference.read("conftest.py") is not None:
        return None
    return _diff(reference, {"conftest.py": lambda _: marks})


def _endless(reference: Reference, variant: int) -> str | None:
    """Importing the patched module never ends, or a function of it does not."""
    if variant % 2 == 0:
        return _appended(reference, "\nimport time\ntime.sleep(1_000_000)\n")

    return _edited(reference, _beginning('__import__("time").sleep(1_000_000)'))


KINDS: Mapping[str, Damage] = {
    "does not apply": _does_not_apply,
    "partial": _partial,
    "broken": _broken,
    "unstartable": _unstartable,
    "skipped": _skipped,
    "endless": _endless,
}


def _package(reference: Reference) -> str:
    """The outermost `__init__.py` above the patched module, "" where it is in none."""
    found = ""
    for parent in Path(reference.modules[0]).parents if reference.modules else ():
        path = f"{parent}/__init__.py"
        if str(parent) == "." or reference.read(path) is None:
            break
        found = path
    return found


def _appended(reference: Reference, text: str, path: str = "") -> str | None:
    if not reference.modules:
        return None
    return _diff(reference, {path or reference.modules[0]: lambda source: source + text})


def _edited(reference: Reference, edit: Callable[[str], str]) -> str | None:
    """The patch with an edit of the module it changes; None where that has no functions."""
    for path in reference.modules:
        if len(_bodies((reference.read(path) or b"").decode())) >= 2:
            return _diff(reference, {path: edit})
    return None


def _diff(
    reference: Reference, edits: Mapping[str, Callable[[str], str]], *, backwards: bool = False
) -> str:
    """The right patch and some edits after it, as one patch; backwards, from there to the base."""
    touched = {f.path for f in PatchSet(reference.patch)} | set(edits)
    with tempfile.TemporaryDirectory(prefix="agent_runner-damage-") as scratch:
        root = Path(scratch)
        git(root, "init", "-q", ".")
        for path in touched:
            content = reference.read(path)
            if content is not None:
                _write(root / path, content)
        base = _tree(root)
        git(root, "apply", "-", given=reference.patch.encode())
        for path, edit in edits.items():
            file = root / path
            source = file.read_bytes().decode() if file.exists() else ""
            _write(file, edit(source).encode())
        ends = (_tree(root), base) if backwards else (base, _tree(root))
        return git(root, "diff", "--no-renames", *ends).decode()


def _tree(root: Path) -> str:
    git(root, "add", "-A", "-f")
    return git(root, "write-tree").decode().strip()


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
