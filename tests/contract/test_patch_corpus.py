"""The corpus over the seeds' repositories: right where it must be, refused where it must be."""

from collections import Counter
from collections.abc import Sequence

import pytest

from tests.corpora.patches.case import Case
from tests.corpora.patches.changes import Pool
from tests.corpora.patches.compare import ENGINE, LEAST, TOOLS, compare
from tests.corpora.patches.corpus import KINDS, entries
from tests.corpora.patches.judge import engine, outcome
from tests.corpora.patches.sets import from_seeds

SEED = 1
EACH = 40
# The seeds' repositories hold no tabs.
LOCAL = [kind for kind in KINDS if kind != "tabs to blanks"]


@pytest.fixture(scope="module")
def pools() -> list[Pool]:
    return from_seeds()


def judged(cases: Sequence[Case]) -> tuple[Counter[str], list[str]]:
    """How often what came out, and what is wrong."""
    seen: Counter[str] = Counter()
    wrong = []
    for number, case in enumerate(cases):
        tree, reason = engine(case)
        seen[outcome(case, tree)] += 1
        if outcome(case, tree) == "wrong":
            wrong.append(f"{case.kind} {number}: {case.patch[:2000]!r} {reason}")
    return seen, wrong


@pytest.mark.parametrize("kind", LOCAL)
def test_every_kind_of_damage_ends_as_it_must(kind: str, pools: list[Pool]) -> None:
    cases = entries(kind, pools, SEED, EACH)
    seen, wrong = judged(cases)
    assert wrong == []
    demand = cases[0].demand
    if demand == "recover":
        assert seen["right"] >= LEAST * EACH, seen
        assert seen["as written"] == 0
    elif demand == "refuse":
        assert seen["refused"] == EACH


def test_the_same_seed_gives_the_same_corpus(pools: list[Pool]) -> None:
    assert entries("counts", pools, 7, 5) == entries("counts", pools, 7, 5)
    assert entries("counts", pools, 7, 5) != entries("counts", pools, 8, 5)


def test_the_undamaged_diff_gives_the_expected_tree_to_git_too(pools: list[Pool]) -> None:
    cases = entries("undamaged", pools, SEED, 10)
    (count,) = compare(cases, {"git apply": TOOLS["git apply"]})
    assert count.right == 10


def test_what_is_refused_leaves_the_directory_as_it_was(pools: list[Pool]) -> None:
    cases = [case for kind in ("cut", "through a link") for case in entries(kind, pools, 3, 8)]
    for count in compare(cases, {ENGINE: TOOLS[ENGINE]}):
        assert (count.refused, count.half, count.wrong) == (8, 0, 0)


def test_the_judge_sees_what_is_wrong(pools: list[Pool]) -> None:
    (case,) = entries("undamaged", pools, SEED, 1)
    assert case.after is not None
    path = next(path for path in case.after if case.after[path] != case.before.get(path))
    assert outcome(case, case.before) == "wrong"
    assert outcome(case, {**case.after, path: b"other"}) == "wrong"
    assert outcome(case, case.after) == "right"
    assert outcome(case, None) == "refused"
