"""Damage that nobody promised to mend: the tree of the undamaged diff, or a refusal."""

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.corpora.patches.case import Case, Make
from tests.corpora.patches.changes import Change
from tests.corpora.patches.diff import Hunk, Section, each_hunk, render
from tests.corpora.patches.lossy import (
    cut,
    cut_in_header,
    lost_lines,
    lost_marks,
    no_context,
    trailing_context,
)
from tests.corpora.patches.misplaced import (
    backwards,
    drifted,
    out_of_order,
    twice_everything,
    twice_the_file,
    twice_the_hunk,
    wrong_copy,
)
from tests.corpora.patches.recovered import RECOVERED, bytes_of
from tests.corpora.patches.unseen import added_stripped, blanks, escaped, tabs

__all__ = ["CAREFUL"]


def absolute(change: Change, rng: Random) -> str:
    """Absolute names, below some root or from `/`."""
    root = rng.choice(["/testbed/", "/", "/home/me/project/", "C:\\work\\"])
    names = re.compile(r"^(---|\+\+\+) [ab]/", flags=re.MULTILINE)
    return names.sub(lambda match: f"{match[1]} {root}", change.patch)


def index(change: Change, rng: Random) -> str:
    """`index` lines invented, where there are none too."""

    def one(section: Section) -> Section:
        names = (section.old or section.new, section.new or section.old)
        extended = section.extended or (f"diff --git a/{names[0]} b/{names[1]}",)
        kept = [line for line in extended if not line.startswith("index ")]
        digits = [f"{rng.randrange(16**7):07x}" for _ in range(2)]
        if section.old is None and len(kept) == 1:
            kept.append("new file mode 100644")
        if section.new is None and len(kept) == 1:
            kept.append("deleted file mode 100644")
        return replace(section, extended=(*kept, f"index {digits[0]}..{digits[1]} 100644"))

    return render([one(section) if section.hunks else section for section in change.sections])


def quoted_names(change: Change, rng: Random) -> str:
    """Names in quotes that they do not need."""
    return re.sub(r"^(---|\+\+\+) ([ab]/.*)$", r'\1 "\2"', change.patch, flags=re.MULTILINE)


def indented(change: Change, rng: Random) -> str:
    """The whole diff moved to the right, blank lines perhaps not."""
    by = rng.choice(["  ", "    ", "\t", "> ", ">", "| "])
    every = rng.random() < 0.5
    lines = change.patch.split("\n")[:-1]
    start = rng.choice([0, 0, 1])
    return "".join(
        (by + line if (line.strip() or every) and at >= start else line) + "\n"
        for at, line in enumerate(lines)
    )


def backslashes(change: Change, rng: Random) -> str:
    """Names as Windows writes them."""
    names = re.compile(r"^(---|\+\+\+) ([ab]/.*)$", flags=re.MULTILINE)
    return names.sub(lambda match: f"{match[1]} {match[2].replace('/', chr(92))}", change.patch)


def noise(change: Change, rng: Random) -> str:
    """Some bytes of headers, context and removed lines are others; not the marks."""
    lines = change.patch.split("\n")
    hit = [at for at, line in enumerate(lines) if line[:1] in ("@", " ", "-") and line[:3] != "---"]
    for at in rng.sample(hit, min(len(hit), rng.randint(1, 3))):
        place = rng.randrange(lines[at][0] != "@", len(lines[at])) if lines[at][1:] else 0
        lines[at] = lines[at][:place] + chr(rng.randrange(256)) + lines[at][place + 1 :]
    return "\n".join(lines)


def marked_bytes(change: Change, rng: Random) -> str:
    """A byte order mark, or line ends of old Macs."""
    return rng.choice(["\xef\xbb\xbf" + change.patch, change.patch.replace("\n", "\r")])


def several(change: Change, rng: Random) -> Case | None:
    """Two or three kinds of damage, one after the other on the same text."""
    lost = rng.choice([trailing_context, counts_and_numbers, no_numbers])
    text = lost(change, rng)
    steps: list[Callable[[str], str]] = [
        lambda patch: f"Here:\n```diff\n{patch}```\n",
        lambda patch: re.sub(r"\r?\n", "\r\n", patch),
        lambda patch: patch.rstrip("\n"),
        lambda patch: re.sub(r"^ $", "", patch, flags=re.MULTILINE),
        lambda patch: re.sub(r"^(---|\+\+\+) [ab]/", r"\1 ", patch, flags=re.MULTILINE),
        lambda patch: re.sub(r"^([ -].*?)[ \t]+$", r"\1", patch, flags=re.MULTILINE),
    ]
    for step in rng.sample(steps, rng.randint(1, 3)):
        text = step(text)
    kind = "several kinds"
    return Case(kind, "careful", change.source, change.before, bytes_of(text), change.after)


def counts_and_numbers(change: Change, rng: Random) -> str:
    """Everything in the headers is wrong."""

    def one(hunk: Hunk) -> Hunk:
        if not hunk.old or not hunk.new:
            return hunk
        by = rng.choice([-40, -4, -1, 2, 9, 70])
        return replace(
            hunk,
            old=max(1, hunk.old + by),
            new=max(1, hunk.new + by + rng.choice([0, 0, 3])),
            old_count=max(1, hunk.old_count + rng.randint(-3, 3)),
            new_count=max(1, hunk.new_count + rng.randint(-3, 3)),
        )

    return render(each_hunk(change.sections, one))


def no_numbers(change: Change, rng: Random) -> str:
    """Headers without numbers."""
    return re.sub(
        r"^@@ -\d.*? @@", rng.choice(["@@", "@@ ... @@"]), change.patch, flags=re.MULTILINE
    )


def careful(kind: str, damage: Callable[[Change, Random], str | None]) -> Make:
    """An entry that may be refused."""

    def make(change: Change, rng: Random) -> Case | None:
        patch = damage(change, rng)
        if patch is None or patch == change.patch:
            return None
        made = bytes_of(patch)
        return Case(kind, "careful", change.source, change.before, made, change.after)

    return make


def blocks_and(change: Change, rng: Random) -> Case | None:
    """`*** Begin Patch` with a second damage."""
    made = RECOVERED["begin patch"](change, rng)
    if made is None:
        return None
    text = made.patch.decode("latin-1")
    text = rng.choice(
        [
            text.replace("\n", "\r\n"),
            re.sub(r"^(\*\*\* \w+ File: )", r"\1a/", text, flags=re.MULTILINE),
            re.sub(r"^@@ .*$", "@@", text, flags=re.MULTILINE),
            re.sub(r"^ $", "", text, flags=re.MULTILINE),
            text.removesuffix("*** End Patch\n"),
            text[: rng.randrange(20, len(text) - 20)],
            f"```\n{text}```\n",
        ]
    )
    return replace(made, kind="begin patch and more", demand="careful", patch=bytes_of(text))


CAREFUL: dict[str, Make] = {
    "added lines stripped": added_stripped,
    "tabs to blanks": tabs,
    "other indentation": blanks,
    "wrong copy": wrong_copy,
    "escaped": escaped,
    "backwards": backwards,
    "drifted": drifted,
    "several kinds": several,
    "begin patch and more": blocks_and,
    **{
        kind: careful(kind, damage)
        for kind, damage in {
            "trailing context": trailing_context,
            "cut": cut,
            "cut in a header": cut_in_header,
            "file twice": twice_the_file,
            "hunk twice": twice_the_hunk,
            "all twice": twice_everything,
            "out of order": out_of_order,
            "absolute path": absolute,
            "index invented": index,
            "quoted names": quoted_names,
            "indented or quoted": indented,
            "lost marks": lost_marks,
            "backslashes": backslashes,
            "noise": noise,
            "other bytes": marked_bytes,
            "context lost inside": lost_lines,
            "no context": no_context,
            "all numbers wrong": counts_and_numbers,
            "no numbers": no_numbers,
        }.items()
    },
}
