"""Gold, empty and damaged patches through both graders: do they say the same, and how soon."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.row import Count, Record, Row, Series
from tests.bench.say import say
from tests.bench.swebench import official, ours
from tests.bench.swebench.graded import Graded, Group, Sitting, differences
from tests.bench.swebench.journal import kept
from tests.bench.swebench.rows import Rows
from tests.corpora.instances.damage import KINDS, cases

SHOWN = 20
MOST_RATIO = 1 / 15
MUST_S = 0.8
ENDLESS_S = 60
EACH = 4
LEAST = 2
OVERHEAD = "grading, less the evaluation script's own time"


class Compared(Record):
    """One group through both."""

    group: str
    ours: Sitting
    official: Sitting


@dataclass(frozen=True)
class Work:
    """What all groups share.

    Attributes:
        images: the id of each instance's image, which both graders use.
        env: how our commands find the repositories.
    """

    rows: Rows
    out: Path
    workers: int
    images: Mapping[str, str]
    env: Mapping[str, str]


def groups(rows: Rows) -> list[Group]:
    """Right patches, none, and six kinds of wrong ones."""
    found = [
        Group("gold", {row.instance_id: row.patch for row in rows.rows}),
        Group("empty", {row.instance_id: "" for row in rows.rows}),
    ]
    damaged = cases(rows.references(), EACH)
    for kind in KINDS:
        patches = {case.instance_id: case.patch for case in damaged if case.kind == kind}
        found.append(Group(kind, patches, ENDLESS_S if kind == "endless" else 1800))
    return [group for group in found if group.patches]


async def measure(work: Work) -> list[Row | Count]:
    """The rows of the table; every disagreement is said on stderr."""
    compared = [await compare(work, group) for group in groups(work.rows)]
    return [
        same(compared),
        *_kinds(compared),
        *overheads(compared),
        *_commands(compared),
    ]


async def compare(work: Work, group: Group) -> Compared:
    """One group through both, or what an earlier run wrote of it."""
    mine, theirs = await by_ours(work, group), await by_official(work, group)
    return Compared(group=group.name, ours=mine, official=theirs)


async def by_ours(work: Work, group: Group) -> Sitting:
    """One group through our own `grade`, or what an earlier run wrote of it."""
    out = work.out / "ours" / group.slug
    key = group.key(work.images)

    async def grade() -> Sitting:
        say(f"ours: {group.name}, {len(group.patches)} predictions")
        return await ours.grade(
            group, work.rows.data, out, workers=work.workers, images=work.images, env=work.env
        )

    path = work.out / f"ours-{group.slug}.json"
    return await kept(path, Sitting, lambda found: found.key == key, grade)


async def by_official(work: Work, group: Group) -> Sitting:
    """One group through the official harness, or what an earlier run wrote of it."""
    out = work.out / "official" / group.slug
    key = group.key(work.images)

    async def grade() -> Sitting:
        say(f"official: {group.name}, {len(group.patches)} predictions")
        return await official.grade(
            group, work.rows.data, out, workers=work.workers, images=work.images
        )

    path = work.out / f"official-{group.slug}.json"
    return await kept(path, Sitting, lambda found: found.key == key, grade)


def same(compared: Sequence[Compared]) -> Count:
    """How many tests and verdicts differ; each is said on stderr, up to a limit."""
    found = [
        f"{one.group}: {line}"
        for one in compared
        for line in differences(one.ours.graded, one.official.graded)
    ]
    for line in found[:SHOWN]:
        say(f"differs: {line}")
    graded = [one for each in compared for one in each.official.graded]
    tests = sum(_tests(one) for one in graded)
    return Count(
        what=f"differences to the official verdicts: {tests} test ids of {len(graded)} predictions",
        unit="",
        measured=len(found),
        at_most=0,
    )


def _tests(graded: Graded) -> int:
    sides = (graded.tests_status or {}).values()
    return sum(len(names) for each in sides for names in each.values())


def _kinds(compared: Sequence[Compared]) -> list[Count]:
    """How many of the wrong patches came out as they were meant, by the official harness."""
    meant: Mapping[str, tuple[str, Callable[[Graded], bool]]] = {
        "does not apply": ("not applied", lambda one: not one.script_s),
        "partial": ("FAIL_TO_PASS in part", lambda one: _some(one, "FAIL_TO_PASS", both=True)),
        "broken": ("PASS_TO_PASS failing", lambda one: _some(one, "PASS_TO_PASS")),
        "unstartable": ("no test passed", lambda one: bool(one.script_s) and not _passed(one)),
        "skipped": ("not resolved", lambda one: bool(one.script_s) and not one.resolved),
        "endless": ("ended by the limit", lambda one: one.script_s >= ENDLESS_S),
    }
    return [
        Count(
            what=f"of {len(each.official.graded)} made as {each.group!r}: {meant[each.group][0]}",
            unit="",
            measured=sum(meant[each.group][1](one) for one in each.official.graded),
            at_least=LEAST,
        )
        for each in compared
        if each.group in meant
    ]


def _some(graded: Graded, kind: str, *, both: bool = False) -> bool:
    """Whether tests of a kind failed; with `both`, and others did not."""
    sides = (graded.tests_status or {}).get(kind, {})
    return bool(sides.get("failure")) and (not both or bool(sides.get("success")))


def _passed(graded: Graded) -> bool:
    return any(each.get("success") for each in (graded.tests_status or {}).values())


def overheads(compared: Iterable[Compared]) -> list[Row]:
    """Median and p90 of what the graders themselves took, beside each other."""
    pairs = [
        (one, other)
        for each in compared
        for one, other in zip(each.ours.graded, each.official.graded, strict=True)
    ]
    mine = Series(name="ours", samples_s=tuple(round(a.overhead_s, 6) for a, _ in pairs))
    theirs = Series(name="official", samples_s=tuple(round(b.overhead_s, 6) for _, b in pairs))
    shared = {
        "measured": mine,
        "baseline": theirs,
        "most_ratio": math.floor(1e4 * MOST_RATIO) / 1e4,
    }
    return [
        Row(what=OVERHEAD, must_s=MUST_S, **shared),
        Row(what=OVERHEAD, statistic="p90", **shared),
    ]


def _commands(compared: Sequence[Compared]) -> list[Row]:
    """The whole commands, starts and evaluation scripts included."""
    return [
        Row(
            what=f"the whole command: {each.group}, {len(each.ours.graded)} predictions",
            measured=Series(name="ours", samples_s=(each.ours.wall_s,)),
            baseline=Series(name="official", samples_s=(each.official.wall_s,)),
        )
        for each in compared
    ]
