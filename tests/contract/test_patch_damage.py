"""A damaged diff gives the very tree that the undamaged one gives, or a refusal; nothing else."""

import argparse
import difflib
import json.decoder
import random
import re
import shlex
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.patching import Entry, PatchRefusal, candidate_paths, parse, plan

Tree = dict[str, bytes]
Damage = Callable[[str, random.Random], str]

SOURCES = [
    Path(module.__file__).read_text(encoding="utf-8")
    for module in (argparse, difflib, json.decoder, shlex, textwrap)
]
ROUNDS = 40


def edited(text: str, rng: random.Random) -> str:
    """The text with a few edits of the kinds people make: some repeat what is there."""
    lines = text.splitlines(keepends=True)
    for number in range(rng.randint(1, 4)):
        at = rng.randrange(len(lines))
        what = rng.choice(["change", "change", "insert", "delete", "repeat"])
        if what == "change":
            lines[at] = lines[at].rstrip("\n") + f"  # changed {number}\n"
        elif what == "insert":
            lines[at:at] = [f"    new = {number}\n", "\n"][: rng.randint(1, 2)]
        elif what == "delete":
            del lines[at : at + rng.randint(1, 3)]
        else:
            lines[at:at] = [line.rstrip() + "\n" for line in lines[at : at + rng.randint(1, 2)]]
    return "".join(lines)


def case(rng: random.Random, *, hard: bool) -> tuple[Tree, Tree, str]:
    """A tree, the tree after a change, and the diff between them.

    A hard one repeats code, ends lines in white space or in CR LF.
    """
    old: Tree = {}
    new: Tree = {}
    sections = []
    for number, source in enumerate(rng.sample(SOURCES, rng.randint(1, 3))):
        lines = source.splitlines(keepends=True)
        start = rng.randrange(max(1, len(lines) - 200))
        lines = lines[start : start + 200]
        if hard and rng.random() < 0.3:
            lines += lines[20:60]
        if hard and rng.random() < 0.3:
            lines = [untidy(line, rng) for line in lines]
        before = "".join(lines)
        after = edited(before, rng)
        if rng.random() < 0.5:
            before, after = before.rstrip("\n"), after.rstrip("\n")
        if hard and rng.random() < 0.2:
            before, after = before.replace("\n", "\r\n"), after.replace("\n", "\r\n")
        path = f"pkg/m{number}.py"
        old[path], new[path] = before.encode(), after.encode()
        sections.append(section(path, before, after))
    if rng.random() < 0.3:
        body = "import os\n\n\ndef new():\n    return os\n"
        new["pkg/new.py"] = body.encode()
        sections.append(section("pkg/new.py", None, body))
    return old, new, "".join(sections)


def untidy(line: str, rng: random.Random) -> str:
    """White space at the end of some lines that are not blank: blank ones are all alike."""
    return line.rstrip("\n") + "  \n" if line.strip() and rng.random() < 0.3 else line


def section(path: str, before: str | None, after: str | None) -> str:
    names = (f"a/{path}" if before is not None else "/dev/null", f"b/{path}")
    rows = []
    old, new = ((text or "").splitlines(keepends=True) for text in (before, after))
    for row in difflib.unified_diff(old, new, *names):
        rows.append(row if row.endswith("\n") else row + "\n\\ No newline at end of file\n")
    return "".join(rows)


def applied(patch: str, tree: Tree) -> Tree:
    changes = parse(patch)
    entries = {path: Entry("file", data) for path, data in tree.items()}
    made = plan(changes, {path: entries.get(path, Entry()) for path in candidate_paths(changes)})
    left = {path: data for path, data in tree.items() if path not in made.deletes}
    return left | {write.path: write.data for write in made.writes}


def by_line(change: Callable[[str, random.Random], str | None]) -> Damage:
    def damage(patch: str, rng: random.Random) -> str:
        lines = [change(line, rng) for line in patch.split("\n")]
        return "\n".join(line for line in lines if line is not None)

    return damage


def numbers(change: Callable[[list[int], random.Random], list[int]]) -> Damage:
    def one(line: str, rng: random.Random) -> str:
        match = re.match(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line)
        if match is None:
            return line
        old, old_count, new, new_count = change([int(one or 1) for one in match.groups()], rng)
        return f"@@ -{old},{old_count} +{new},{new_count} @@"

    return by_line(one)


def shifted(given: list[int], rng: random.Random) -> list[int]:
    if given[0] == 0:
        return given
    offset = rng.choice([-7, -2, 1, 3, 40, 1000])
    start = max(1, given[0] + offset)
    return [start, given[1], start + given[2] - given[0], given[3]]


def miscounted(given: list[int], rng: random.Random) -> list[int]:
    wrong = [max(0, count + rng.choice([-2, -1, 1, 2])) for count in given[1::2]]
    return [given[0], wrong[0] if given[0] else 0, given[2], wrong[1]]


def without_trailing_context(patch: str, rng: random.Random) -> str:
    lost = rng.randint(1, 3)
    return re.sub(rf"(?:^ .*\n){{1,{lost}}}(?=@@|---|\Z)", "", patch, flags=re.MULTILINE)


def begin_patch(patch: str, rng: random.Random) -> str:
    rows = ["*** Begin Patch"]
    for part in re.split(r"^--- .*\n", patch, flags=re.MULTILINE)[1:]:
        head, body = part.split("\n", 1)
        path = head.removeprefix("+++ b/")
        adds = body.startswith("@@ -0,0")
        rows.append(f"*** {'Add' if adds else 'Update'} File: {path}")
        body = re.sub(r"^@@.*$", "@@", body, flags=re.MULTILINE)
        rows.append(body.removeprefix("@@\n") if adds else body)
        rows[-1] = rows[-1].removesuffix("\n")
    return "\n".join([*rows, "*** End Patch", ""])


def wider(line: str, rng: random.Random) -> str:
    marked = line[:1] in ("-", " ") and not line.startswith("---")
    return line + rng.choice(["", "  ", "\t"]) if marked else line


def wider_everywhere(line: str, rng: random.Random) -> str:
    return line if line[:2] in ("--", "++", "@@", "\\ ", "") else line + "  "


RECOVERED: dict[str, Damage] = {
    "none": lambda patch, rng: patch,
    "fence": lambda patch, rng: f"Here it is:\n\n```diff\n{patch}```\n\nIt adds\n- a fix\n",
    "open fence": lambda patch, rng: f"```diff\n{patch}",
    "prefix": lambda patch, rng: re.sub(r"^(---|\+\+\+) [ab]/", r"\1 ", patch, flags=re.MULTILINE),
    "counts": numbers(miscounted),
    "numbers": numbers(shifted),
    "no numbers": by_line(lambda line, rng: "@@" if line.startswith("@@") else line),
    "trailing context": without_trailing_context,
    "blank": by_line(lambda line, rng: "" if line == " " else line),
    "narrower": by_line(lambda line, rng: line.rstrip()),
    "wider": by_line(wider),
    "wider everywhere": by_line(wider_everywhere),
    "crlf": lambda patch, rng: re.sub(r"\r?\n", "\r\n", patch),
    "crlf twice": lambda patch, rng: patch.replace("\n", "\r\n"),
    "lf": lambda patch, rng: patch.replace("\r", ""),
    "crlf in the lines": by_line(
        lambda line, rng: (
            line + "\r" if line[:1] in "+- " and line[:3] not in ("---", "+++") else line
        )
    ),
    "final newline": lambda patch, rng: patch.rstrip("\n"),
    "begin patch": begin_patch,
}
# Lines that may be there already are not added where the context below them is lost.
LEAST = {"trailing context": 0.75}


def outcomes(damages: list[Damage], seed: str, *, hard: bool) -> tuple[int, int]:
    """How many damaged diffs gave the right tree, and how many a wrong one."""
    right = wrong = 0
    for number in range(ROUNDS):
        rng = random.Random(f"{seed} {number}")
        old, new, patch = case(rng, hard=hard)
        for damage in damages:
            patch = damage(patch, rng)
        try:
            tree = applied(patch, old)
        except PatchRefusal:
            continue
        right += tree == new
        wrong += tree != new
    return right, wrong


@pytest.mark.parametrize("kind", RECOVERED)
def test_damage_is_mended_or_refused(kind: str) -> None:
    right, wrong = outcomes([RECOVERED[kind]], kind, hard=False)
    assert wrong == 0
    assert right >= LEAST.get(kind, 0.95) * ROUNDS


@pytest.mark.parametrize("kind", RECOVERED)
def test_damage_to_repetitive_or_untidy_files_gives_no_wrong_tree(kind: str) -> None:
    assert outcomes([RECOVERED[kind]], kind, hard=True)[1] == 0


@pytest.mark.parametrize("second", ["fence", "narrower", "blank", "crlf"])
@pytest.mark.parametrize("kind", ["numbers", "counts", "trailing context", "begin patch"])
def test_second_damage_gives_no_wrong_tree_either(kind: str, second: str) -> None:
    damages = [RECOVERED[kind], RECOVERED[second]]
    assert outcomes(damages, f"{kind} {second}", hard=True)[1] == 0
