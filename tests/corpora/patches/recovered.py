"""Damage that a patch must survive: what models write, kind by kind."""

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.corpora.patches.case import Case, Make
from tests.corpora.patches.changes import Change
from tests.corpora.patches.diff import Hunk, Section, each_hunk, each_line, render

__all__ = ["RECOVERED", "bytes_of", "case", "in_blocks", "only"]

Damage = Callable[[Change, Random], str]


def bytes_of(text: str) -> bytes:
    """The bytes that latin-1 text stands for."""
    return text.encode("latin-1")


def case(kind: str, change: Change, patch: str) -> Case:
    """An entry whose tree is that of the undamaged diff."""
    return Case(kind, "recover", change.source, change.before, bytes_of(patch), change.after)


def only(kind: str, damage: Damage) -> Make:
    """An entry for a damage to the text alone, None where it does nothing."""

    def make(change: Change, rng: Random) -> Case | None:
        patch = damage(change, rng)
        return None if patch == change.patch else case(kind, change, patch)

    return make


def fence(change: Change, rng: Random) -> str:
    """A Markdown block, with prose around it or not, closed or not."""
    opening = rng.choice(["```diff", "```", "````patch", "~~~diff"])
    closing = rng.choice([re.sub(r"\w", "", opening) + "\n", ""])
    before = rng.choice(["", "Here is the fix:\n\n", "1. First\n- a list\n\n"])
    after = rng.choice(["", "\nThis changes\n- one thing\n+ another\n", "\nDone.\n"])
    return f"{before}{opening}\n{change.patch}{closing}{after if closing else ''}"


def prefix(change: Change, rng: Random) -> str:
    """Neither `a/` nor `b/`, as `git diff --no-prefix` would write it, or on one side only."""
    sides = rng.choice(["ab", "ab", "a", "b"])

    def bare(section: Section) -> Section:
        names = [re.sub(rf"^(---|\+\+\+) [{sides}]/", r"\1 ", name) for name in section.names]
        first = [
            re.sub(rf" [{sides}]/", " ", line) if line.startswith("diff --git") else line
            for line in section.extended
        ]
        return replace(section, names=tuple(names), extended=tuple(first))

    return render([bare(section) for section in change.sections])


def counts(change: Change, rng: Random) -> str:
    """Counts off by a few, on some hunks or all."""
    often = rng.choice([0.4, 1])

    def one(hunk: Hunk) -> Hunk:
        if rng.random() > often:
            return hunk
        old, new = (rng.choice([-3, -2, -1, 1, 1, 2, 3]) for _ in range(2))
        return replace(
            hunk,
            old_count=max(1, hunk.old_count + old) if hunk.old else 0,
            new_count=max(1, hunk.new_count + new) if hunk.new else 0,
        )

    return render(each_hunk(change.sections, one))


def unique_offset(change: Change, rng: Random) -> Case | None:
    """Line numbers that are wrong, on hunks that fit in one place only."""
    for section in change.sections:
        lines = change.before.get(section.old or "", b"").decode("latin-1").split("\n")
        if any(_places(hunk, lines) != 1 for hunk in section.hunks if hunk.old_count):
            return None
    offset = rng.choice([-30, -7, -2, -1, 1, 3, 12, 100, 1000])
    own = rng.random() < 0.5

    def one(hunk: Hunk) -> Hunk:
        if not hunk.old or not hunk.new:
            return hunk
        by = offset + (rng.randint(-2, 2) if own else 0)
        return replace(hunk, old=max(1, hunk.old + by), new=max(1, hunk.new + by))

    patch = render(each_hunk(change.sections, one))
    return None if patch == change.patch else case("unique offset", change, patch)


def _places(hunk: Hunk, lines: list[str]) -> int:
    wanted = [line.rstrip() for line in hunk.before]
    bare = [line.rstrip() for line in lines]
    return sum(bare[at : at + len(wanted)] == wanted for at in range(len(bare)))


def white_space(change: Change, rng: Random) -> str:
    """White space at the end of context and removed lines lost, come, or both."""
    what = rng.choice(["lost", "come", "mixed", "blank"])
    if "\r" in change.patch:
        return change.patch

    def one(line: str) -> str:
        if line[0] == "+":
            return line
        if what == "blank":
            return line if line.strip() else ""
        if what == "lost" or (what == "mixed" and rng.random() < 0.3):
            return line[0] + line[1:].rstrip(" \t")
        return line + rng.choice(["", " ", "  ", "\t"]) if "\r" not in line else line

    return render(each_line(change.sections, one))


def crlf(change: Change, rng: Random) -> str:
    """The whole text converted."""
    return re.sub(r"\r?\n", "\r\n", change.patch)


def crlf_file(change: Change, rng: Random) -> Case | None:
    """Files that end their lines in CR LF, a diff that does not."""
    if any(b"\r" in data for data in (*change.before.values(), *change.after.values())):
        return None
    if any(section.old is None for section in change.sections):
        return None
    return Case(
        "crlf",
        "recover",
        change.source,
        {path: data.replace(b"\n", b"\r\n") for path, data in change.before.items()},
        bytes_of(change.patch),
        {path: data.replace(b"\n", b"\r\n") for path, data in change.after.items()},
    )


def either(*makes: Make) -> Make:
    """One of several ways to damage."""
    return lambda change, rng: rng.choice(makes)(change, rng)


def final_newline(change: Change, rng: Random) -> str:
    """The text ends without a line feed, as arguments of tool calls do."""
    return change.patch.rstrip("\n")


def in_blocks(change: Change) -> str | None:
    """`*** Begin Patch` text, None where the format cannot say it."""
    rows = ["*** Begin Patch"]
    for section in change.sections:
        rows += _block(section)
    text = "\n".join([*rows, "*** End Patch", ""])
    return None if "\n\\" in text else text


def _block(section: Section) -> list[str]:
    if section.old is None:
        return [f"*** Add File: {section.new}", *_lines(section)]
    if section.new is None:
        return [f"*** Delete File: {section.old}"]
    rows = [f"*** Update File: {section.old}"]
    if section.new != section.old:
        rows.append(f"*** Move to: {section.new}")
    for hunk in section.hunks:
        rows += [f"@@{hunk.heading}", *hunk.lines]
    return rows


def _lines(section: Section) -> list[str]:
    return [line for hunk in section.hunks for line in hunk.lines]


def begin_patch(change: Change, rng: Random) -> Case | None:
    """The other format; only where each hunk has one place, as it gives no numbers."""
    text = in_blocks(change)
    if text is None:
        return None
    for section in change.sections:
        lines = change.before.get(section.old or "", b"").decode("latin-1").split("\n")
        if any(_places(hunk, lines) != 1 for hunk in section.hunks if hunk.old_count):
            return None
    return case("begin patch", change, text)


def as_it_is(kind: str, fits: Callable[[Section], bool], least: int = 1) -> Make:
    """What is looked at is the kind of file; a fence or a lost line feed at most is added."""

    def make(change: Change, rng: Random) -> Case | None:
        if sum(map(fits, change.sections)) < least:
            return None
        damage = rng.choice([None, None, fence, final_newline])
        return case(kind, change, damage(change, rng) if damage else change.patch)

    return make


RECOVERED: dict[str, Make] = {
    "undamaged": lambda change, rng: case("undamaged", change, change.patch),
    "fence": only("fence", fence),
    "prefix": only("prefix", prefix),
    "counts": only("counts", counts),
    "unique offset": unique_offset,
    "trailing white space": only("trailing white space", white_space),
    "crlf": either(only("crlf", crlf), crlf_file),
    "final newline": only("final newline", final_newline),
    "begin patch": begin_patch,
    "several files": as_it_is("several files", lambda section: True, least=3),
    "new file": as_it_is("new file", lambda section: section.old is None),
    "deleted file": as_it_is("deleted file", lambda section: section.new is None),
    "renamed file": as_it_is("renamed file", lambda section: section.is_moved),
}
