"""Sections, hunks and whole diffs where they do not belong."""

from dataclasses import replace
from itertools import pairwise
from random import Random

from tests.corpora.patches.case import Case
from tests.corpora.patches.changes import Change
from tests.corpora.patches.diff import Section, render
from tests.corpora.patches.recovered import bytes_of
from tests.corpora.patches.reference import applied

__all__ = [
    "backwards",
    "drifted",
    "out_of_order",
    "twice_everything",
    "twice_the_file",
    "twice_the_hunk",
    "wrong_copy",
]


def wrong_copy(change: Change, rng: Random) -> Case | None:
    """A header that is consistent and names another copy of the code that is meant.

    The copy is put at the end of the file, as code that was pasted once more.
    """
    section = rng.choice(change.sections)
    if section.old is None or section.old != section.new or not section.hunks:
        return None
    hunk = rng.choice(section.hunks)
    data = change.before[section.old]
    if not hunk.old or not data.endswith(b"\n") or any(line[0] == "\\" for line in hunk.lines):
        return None
    old = data.decode("latin-1").split("\n")[:-1]
    start, size, around = hunk.old - 1, len(hunk.before), rng.randint(0, 8)
    above = min(around, start)
    copy = bytes_of("".join(f"{line}\n" for line in old[start - above : start + size + around]))
    shift = len(old) + above - start
    heading = rng.choice([hunk.heading, ""])
    moved = replace(hunk, old=hunk.old + shift, new=hunk.new + shift, heading=heading)
    # A hunk that stands after all the others, too, would mean the copy.
    alone = rng.random() < 0.6
    hunks = (moved,) if alone else tuple(moved if one is hunk else one for one in section.hunks)
    if not alone and (len(hunks) == 1 or hunks[-1] is moved):
        return None
    right = replace(section, hunks=(hunk,) if alone else section.hunks)
    sections = tuple(
        replace(each, hunks=hunks) if each is section else each for each in change.sections
    )
    before = {**change.before, section.old: data + copy}
    after = {**change.after, section.old: applied(data, right) + copy}
    return Case("wrong copy", "careful", change.source, before, bytes_of(render(sections)), after)


def twice_the_file(change: Change, rng: Random) -> str:
    """One file's section is there twice, at once or at the end."""
    section = rng.choice(change.sections)
    if rng.random() < 0.5:
        return change.patch + f"{section}\n"
    return change.patch.replace(f"{section}\n", f"{section}\n" * 2)


def twice_the_hunk(change: Change, rng: Random) -> str:
    """A hunk is there twice, in a row or at the end of its file."""

    def one(section: Section) -> Section:
        if not section.hunks:
            return section
        hunk = rng.choice(section.hunks)
        return replace(section, hunks=(*section.hunks, hunk))

    return render([one(section) for section in change.sections])


def twice_everything(change: Change, rng: Random) -> str:
    """The whole diff is there twice, perhaps in fences."""
    if rng.random() < 0.5:
        return change.patch * 2
    return f"```diff\n{change.patch}```\nAgain, in full:\n```diff\n{change.patch}```\n"


def out_of_order(change: Change, rng: Random) -> str:
    """Hunks in another order."""

    def one(section: Section) -> Section:
        return replace(section, hunks=tuple(rng.sample(section.hunks, len(section.hunks))))

    return render([one(section) for section in change.sections])


def backwards(change: Change, rng: Random) -> Case | None:
    """The change the other way round: the tree is there already, so nothing is right."""
    patch = bytes_of(change.patch)
    if any(section.hunks == () for section in change.sections):
        return None
    return Case("backwards", "careful", change.source, change.after, patch, None)


def drifted(change: Change, rng: Random) -> Case | None:
    """The file has become longer somewhere, and the diff does not know."""
    section = rng.choice(change.sections)
    if section.old is None or section.new is None or not section.hunks:
        return None
    old = change.before[section.old].split(b"\n")
    new = change.after[section.new].split(b"\n")
    gaps = [(0, section.hunks[0].old - 1)] + [
        (one.old + one.old_count - 1, other.old - 1)
        for one, other in pairwise(section.hunks)
    ]  # fmt: skip
    number = rng.randrange(len(gaps))
    low, high = gaps[number]
    if high <= low:
        return None
    at = rng.randint(low, high)
    growth = sum(hunk.new_count - hunk.old_count for hunk in section.hunks[:number])
    extra = [b"# drifted %d" % rng.randrange(10**6) for _ in range(rng.randint(1, 9))]
    before = b"\n".join([*old[:at], *extra, *old[at:]])
    after = b"\n".join([*new[: at + growth], *extra, *new[at + growth :]])
    return Case(
        "drifted", "careful", change.source,
        {**change.before, section.old: before}, bytes_of(change.patch),
        {**change.after, section.new: after},
    )  # fmt: skip
