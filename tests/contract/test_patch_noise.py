"""Whatever is done to a diff: never another exception than a refusal, and no tree nobody meant."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.corpora.patches.case import Case
from tests.corpora.patches.changes import Pool
from tests.corpora.patches.diff import Section, render
from tests.corpora.patches.judge import engine
from tests.corpora.patches.sets import from_seeds
from tests.corpora.patches.tree import Tree

PIECES = [
    *("--- a/x", "+++ b/x", "@@ -1,3 +1,3 @@", "@@ -2 +2 @@", "@@", "@@ def f", "-one", "+uno"),
    *(" one", " two", "-two", "+zwei", "", " three", "\\ No newline at end of file", "```"),
    *("diff --git a/x b/x", "diff --git a/x b/y", "rename from x", "rename to y", "prose"),
    *("new file mode 100644", "new file mode 120000", "deleted file mode 100644", "-- "),
    *("index 4cb29ea..1234567 100644", "similarity index 100%", "old mode 100644"),
    *("new mode 100755", "--- /dev/null", "+++ /dev/null", "copy from x", "copy to y", "+++ b/y"),
    *("*** Begin Patch", "*** End Patch", "*** Update File: x", "*** Add File: y"),
    *("*** Delete File: x", "*** Move to: y", "*** End of File", "> @@", "--- a/y", "- one"),
]
THERE: Tree = {"x": b"one\ntwo\nthree\n"}


@pytest.fixture(scope="module")
def pools() -> list[Pool]:
    return from_seeds()


def tree_of(patch: bytes, before: Tree) -> Tree | None:
    return engine(Case("noise", "careful", "", before, patch, None))[0]


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=16), st.sampled_from(["\n", "\r\n"]))
def test_any_mixture_of_lines_is_applied_or_refused(lines: list[str], end: str) -> None:
    tree_of(end.join([*lines, ""]).encode(), THERE)


def three_files(pools: Sequence[Pool]) -> tuple[Pool, tuple[Section, ...]]:
    """A change, an added and a moved file, as git writes them."""
    here = next(each for each in pools if any(one.is_moved for one in each.sections))
    kinds = [
        next(one for one in here.sections if one.old == one.new),
        next(one for one in here.sections if one.old is None or one.new is None),
        next(one for one in here.sections if one.is_moved),
    ]
    return here, tuple(kinds)


def tree_after(here: Pool, sections: Sequence[Section]) -> Tree:
    tree: dict[str, bytes] = dict(here.old)
    for section in sections:
        if section.old is not None:
            del tree[section.old]
        if section.new is not None:
            tree[section.new] = here.new[section.new]
    return tree


def test_diff_of_git_cut_anywhere_gives_whole_files_or_nothing(pools: list[Pool]) -> None:
    here, sections = three_files(pools)
    whole = render(sections).encode("latin-1")
    trees = [tree_after(here, sections[:count]) for count in range(4)]
    applied = 0
    for at in range(len(whole)):
        tree = tree_of(whole[:at], here.old)
        if tree is not None:
            assert tree in trees, at
            applied += 1
    assert applied >= 3


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_noise_in_lines_that_must_be_there_gives_no_other_tree(
    data: st.DataObject, pools: list[Pool]
) -> None:
    here = data.draw(st.sampled_from(pools))
    section = data.draw(st.sampled_from([one for one in here.sections if one.hunks]))
    plain = data.draw(st.booleans())
    lines = render([section.plain if plain else section]).encode("latin-1").split(b"\n")
    body = [at for at, line in enumerate(lines) if line[:1] in b" -" and len(line) > 1]
    body = [at for at in body if not lines[at].startswith(b"--- ")]
    for _ in range(data.draw(st.integers(1, 3)) if body else 0):
        at = data.draw(st.sampled_from(body))
        place = data.draw(st.integers(1, len(lines[at]) - 1))
        byte = data.draw(st.integers(0, 255).filter(lambda one: one != 10))
        lines[at] = lines[at][:place] + bytes([byte]) + lines[at][place + 1 :]
    tree = tree_of(b"\n".join(lines), here.old)
    assert tree is None or tree == tree_after(here, [section])


def test_every_line_lost_or_doubled_in_a_diff_of_git_is_noticed(pools: list[Pool]) -> None:
    rng = Random(1)
    for here in pools:
        for section in rng.sample(here.sections, 4):
            right = tree_after(here, [section])
            # An added file proves nothing by its `index` line, and a moved one may have none.
            if section.old is None or not section.hunks:
                continue
            lines = render([section]).encode("latin-1").split(b"\n")[:-1]
            first = next(at for at, line in enumerate(lines) if line.startswith(b"@@")) + 1
            for at in range(first, len(lines)):
                for count in (0, 2):
                    damaged = [*lines[:at], *lines[at : at + 1] * count, *lines[at + 1 :], b""]
                    tree = tree_of(b"\n".join(damaged), here.old)
                    assert tree is None or tree == right
